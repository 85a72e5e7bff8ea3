import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser } from "playwright-core";
import { chromiumPath, horizontalOverflow, openBrowser, openFile } from "../support/browser.ts";
import script from "../support/page_facts.js" with { type: "text" };
import { figure } from "../../src/report/blocks.ts";
import { mapSheet } from "../../src/report/map_sheet.ts";
import { renderPage } from "../../src/report/page.ts";
import { pngDataUri } from "../../src/report/tiny_png.ts";
import { samplePage } from "../support/sample_page.ts";

const ignore = chromiumPath === undefined;

async function withPage(body: (browser: Browser, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const browser = await openBrowser();
  try {
    await Deno.writeTextFile(`${folder}/page.html`, await samplePage());
    await body(browser, `${folder}/page.html`);
  } finally {
    await browser.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "renderPage() in Chromium: no error, no request, no overflow, in light and dark, wide and 360 px",
  ignore,
  fn: () =>
    withPage(async (browser, path) => {
      const backgrounds = new Set<string>();
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [360, 768, 1280]) {
          const { page, trouble } = await openFile(browser, path, { width, colorScheme });
          assertEquals(trouble, { errors: [], requests: [] }, `${colorScheme} ${width}`);
          assertEquals(await horizontalOverflow(page), 0, `${colorScheme} ${width}`);
          assertEquals(await page.locator("figure svg:visible").count(), 3);
          // A row of twelve layers goes on in a next line.
          const small =
            `(() => { ${script}; return smallPictures((of) => [...document.querySelectorAll(of)]); })()`;
          assertEquals(await page.evaluate(small), [], `${colorScheme} ${width}`);
          backgrounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
          await page.close();
        }
      }
      assertEquals(backgrounds.size, 2);
    }),
});

Deno.test({
  name:
    "renderPage() in Chromium: pictures enlarge by click and keyboard, crisp or smooth; marks show their numbers",
  ignore,
  fn: () =>
    withPage(async (browser, path) => {
      const { page, trouble } = await openFile(browser, path, { width: 1280, colorScheme: "light" });
      const tip = page.locator(".tip"), dialog = page.locator("dialog"), maps = page.locator(".row .enlarge");
      await maps.nth(1).focus();
      for (const key of ["ArrowRight", "ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
      assertEquals(await dialog.locator("p").textContent(), "scene 3 · L2");
      assertEquals(await dialog.locator("img").count(), 2);
      for (const box of await dialog.locator("img").all()) assert((await box.boundingBox())!.width >= 320);
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("ArrowRight");
      assertStringIncludes(await dialog.locator("p").textContent() ?? "", "onerror=alert(2)>.png · L3");
      await page.keyboard.press("Escape");
      assert(!await dialog.isVisible());
      assertEquals(await page.evaluate("document.activeElement.className"), "enlarge");
      const rendering = () =>
        page.evaluate("getComputedStyle(document.querySelectorAll('.row img')[1]).imageRendering");
      assertEquals(await rendering(), "pixelated");
      await page.locator(".color-grid input").check();
      assertEquals(await rendering(), "auto");
      await page.locator('figure svg [aria-label^="extract: "]:visible').hover();
      assertEquals(await tip.textContent(), "extract: 3.21");
      assertEquals(trouble, { errors: [], requests: [] });
    }),
});

Deno.test({
  name:
    "renderPage() in Chromium: pictures of a drawing enlarge by click and keyboard, with what is drawn over them",
  ignore,
  fn: () =>
    withPage(async (browser, path) => {
      const photo = pngDataUri(1, 1, new Uint8Array(3)), maps = [{ name: "L1", picture: photo }];
      const svg = mapSheet({ blocks: [{ photo, rows: [{ label: "m", maps }] }], across: 1, side: 160 });
      const body = figure({ image: { svg }, caption: "n = 1", alt: "a sheet" });
      const text = { title: "a", question: "b", method: "c", settings: {}, command: "d" };
      await Deno.writeTextFile(path, renderPage({ ...text, sections: [{ heading: "e", body }] }));
      const { page, trouble } = await openFile(browser, path, { width: 1280, colorScheme: "light" });
      const dialog = page.locator("dialog"), picture = page.locator("figure svg image").nth(1);
      await picture.click();
      assertEquals(await dialog.getAttribute("aria-label"), "Enlarge: m L1");
      const box = (await dialog.locator("svg").boundingBox())!;
      assert(box.width >= 320 && Math.abs(box.width - box.height) < 1, JSON.stringify(box));
      const rendering = "getComputedStyle(document.querySelectorAll('dialog image')[1]).imageRendering";
      assertEquals(await page.evaluate(rendering), "pixelated");
      await page.keyboard.press("Space");
      assertEquals(await page.evaluate(rendering), "auto", "smooth by choice");
      await dialog.locator("label").click();
      assertEquals(await page.evaluate(rendering), "pixelated");
      await page.keyboard.press("Escape");
      assert(!await dialog.isVisible());
      await page.keyboard.press("Enter");
      assert(await dialog.isVisible(), "the picture has the focus again");
      assertEquals(trouble, { errors: [], requests: [] });
    }),
});
