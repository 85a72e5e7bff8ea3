import { assertEquals, assertStringIncludes } from "@std/assert";
import { liveDocument, liveStyle } from "../../../src/experiments/live/document.ts";
import { linksAbove } from "../../../src/report/page_links.ts";
import { chromiumPath, horizontalOverflow, openBrowser, openFile } from "../../support/browser.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const INDEX = '<h3><a href="a.html">A</a></h3><h3><a href="z.html">Z &amp; more</a></h3>';

Deno.test("linksAbove() leads to the index beside a page's folder and to its last page, where there is one", async () => {
  await inTemporaryFolder(async (dir) => {
    assertEquals(await linksAbove(`${dir}/live`), {});
    await Deno.writeTextFile(`${dir}/index.html`, "another site");
    assertEquals(await linksAbove(`${dir}/live`), {});
    await Deno.writeTextFile(`${dir}/index.html`, INDEX);
    assertEquals(await linksAbove(`${dir}/live`), {
      home: { title: "All pages", href: "index.html" },
      previous: { title: "Z & more", href: "z.html" },
    });
  });
});

Deno.test({
  name: "the live page has contents and links that lead somewhere, and pictures of 160 px or more",
  ignore: chromiumPath === undefined,
  fn: () =>
    inTemporaryFolder(async (dir) => {
      await Deno.mkdir(`${dir}/live`);
      await Deno.writeTextFile(`${dir}/index.html`, INDEX);
      await Deno.writeTextFile(`${dir}/live/live.css`, liveStyle());
      const beside = await linksAbove(`${dir}/live`), settings = { models: "mae_tiny" };
      const page = {
        policy: "default-src 'none'; style-src 'self'",
        beside,
        settings,
        command: "./run live",
      };
      await Deno.writeTextFile(`${dir}/live/index.html`, liveDocument(page));
      const browser = await openBrowser();
      try {
        for (const width of [1280, 360]) {
          const opened = await openFile(browser, `${dir}/live/index.html`, { width, colorScheme: "light" });
          const links = await opened.page.evaluate<string[]>(
            "[...document.querySelectorAll('nav a')].map((link) => link.getAttribute('href'))",
          );
          assertEquals(links, ["../index.html", "../z.html", "#part-1", "#part-2", "#part-3", "#part-4"]);
          assertEquals(await opened.page.locator(":is(#part-1, #part-2, #part-3, #part-4)").count(), 4);
          const tile = await opened.page.evaluate<number>(`(() => {
            const row = document.createElement("section");
            row.className = "photograph";
            row.innerHTML = '<div class="tiles">' + '<figure class="tile"><canvas></canvas></figure>'.repeat(13) + "</div>";
            document.getElementById("photographs").append(row);
            return Math.min(...[...row.querySelectorAll("canvas")].map((own) => own.clientWidth));
          })()`);
          assertEquals(tile >= (width > 700 ? 160 : 96), true, `${tile} px at ${width}`);
          assertEquals(await horizontalOverflow(opened.page), 0, `${width}`);
        }
      } finally {
        await browser.close();
      }
      const alone = liveDocument({ ...page, beside: {} });
      assertStringIncludes(alone, 'aria-label="Pages"  hidden');
      assertEquals(alone.includes("../"), false);
    }),
});
