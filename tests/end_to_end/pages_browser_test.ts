import { assert, assertEquals } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import { saveFigures } from "../../src/report/figure_files.ts";
import { chromiumPath, horizontalOverflow, type Look, openBrowser, openFile } from "../support/browser.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import script from "../support/page_facts.js" with { type: "text" };
import { writeSamplePages } from "../support/sample_pages.ts";

const LARGEST_PAGE = 6e6;
/** What the pages' policy has to stop: another base, a request, a picture, eval, a script. */
const REFUSED = ["base-uri", "connect-src", "img-src", "script-src", "script-src-elem"];
/** The index, and pages that it does not list. */
const UNLISTED = ["index", "photographs"];
const LOOKS: Look[] = [
  { width: 1280, colorScheme: "light" },
  { width: 360, colorScheme: "dark" },
];

/** What a page tells of itself. */
interface Facts {
  background: string;
  policy: string;
  /** Milliseconds until the browser painted, where it tells. */
  firstPaint?: number;
  /** Drawings in view that are empty or have no size. */
  emptyDrawings: string[];
  drawings: number;
  headings: number[];
  repeatedIds: string[];
  /** Elements and attributes that only a hostile name could have brought. */
  foreign: string[];
  withoutAlt: number;
  /** Pictures narrower than 160 px (maps on a phone: 96 px), and those of cards narrower than 96 px. */
  smallPictures: string[];
  smallCardPictures: number;
  /** Captions of figures that do not say of how many. */
  captionsWithoutN: string[];
  /** Texts whose contrast is below 4.5 (large ones: 3), and charts in colors that nothing names. */
  faintTexts: string[];
  withoutKey: string[];
  /** Tables with columns out of sight. */
  cutTables: string[];
  /** Whether the first picture is above the method and the claims. */
  isFigureFirst: boolean;
  /** Where its first link home leads. */
  home: string;
}

/** Calls a function of page_facts.js in a page. */
function inPage<T>(page: Page, name: "readFacts" | "readRefusals"): Promise<T> {
  return page.evaluate(`(() => { ${script}; return ${name}(); })()`);
}

async function lookAt(browser: Browser, name: string, path: string): Promise<string> {
  const html = await Deno.readTextFile(path), paints: number[] = [];
  if (name !== "explorer") {
    assert(new TextEncoder().encode(html).length <= LARGEST_PAGE, `${name} is too large`);
  }
  const backgrounds = new Set<string>();
  for (const look of LOOKS) {
    const what = `${name}, ${look.colorScheme}, ${look.width} px`;
    const { page, trouble } = await openFile(browser, path, look);
    page.on("dialog", (dialog) => trouble.errors.push(`dialog: ${dialog.message()}`));
    const isLive = ["explorer", "index"].includes(name);
    if (isLive) await page.locator('html[data-ready="true"]').waitFor();
    // Chromium's own note to pages that ask for WebGPU.
    trouble.errors = trouble.errors.filter((error) => error !== "No available adapters.");
    const facts = await inPage<Facts>(page, "readFacts");
    assertEquals(trouble, { errors: [], requests: [] }, what);
    assertEquals(await horizontalOverflow(page), 0, `${what} overflows`);
    assertEquals([facts.emptyDrawings, facts.foreign, facts.repeatedIds], [[], [], []], what);
    assertEquals([facts.faintTexts, facts.withoutKey, facts.smallCardPictures], [[], [], 0], what);
    assertEquals([facts.smallPictures, facts.captionsWithoutN], [[], []], what);
    if (!isLive) {
      assertEquals(facts.cutTables, [], what);
      assert(facts.isFigureFirst, `${what}: the method or the claims stand above the first picture`);
    }
    if (!UNLISTED.includes(name)) assertEquals(facts.home, "index.html", what);
    assertEquals(facts.withoutAlt, 0, `${what}: pictures without alternative text`);
    if (!["explorer", "index", "galleries"].includes(name)) {
      assert(facts.drawings > 0, `${what} has no drawing`);
    }
    facts.headings.forEach((level, i) =>
      assert(level <= (facts.headings[i - 1] ?? 0) + 1, `${what}: h${level}`)
    );
    assert(facts.policy.startsWith("default-src 'none'; img-src data:;"), facts.policy);
    assert(!/unsafe-eval|https?:|\*/.test(facts.policy), facts.policy);
    backgrounds.add(facts.background);
    if (facts.firstPaint !== undefined) paints.push(facts.firstPaint);
    assertEquals(await inPage(page, "readRefusals"), REFUSED, what);
    await page.close();
  }
  assertEquals(backgrounds.size, LOOKS.length, `${name} looks the same in light and dark`);
  return `${name} ${paints.map((time) => time.toFixed(0)).join("/") || "–"}`;
}

/** Every link of a page leads to a file beside it, and to its place in it. @returns the links */
async function followLinks(path: string): Promise<string[]> {
  const links = [...(await Deno.readTextFile(path)).matchAll(/<a [^>]*?href="([^"]*)"/g)].map((match) =>
    match[1]
  );
  for (const link of links) {
    const { pathname, hash } = new URL(link, `file://${path}`), id = decodeURIComponent(hash.slice(1));
    if (id) assert((await Deno.readTextFile(pathname)).includes(` id="${id}"`), `${path}: ${link}`);
    else await Deno.stat(pathname);
  }
  return links;
}

/** Every figure and grid of a page is written as a file of its own name; those of pages that draw by script are not. */
async function checkFigureFiles(path: string): Promise<void> {
  const markup = await Deno.readTextFile(path),
    named = [...markup.matchAll(/<figure id="figure-([\w.-]+)"/g)];
  if (markup.includes('<script type="module">')) return;
  const files = await saveFigures(path, markup, ["svg"]);
  assertEquals(new Set(files).size, markup.split(/<figure\b|class="color-grid"/).length - 1, path);
  assertEquals(named.length, markup.split("<figure").length - 1, `${path} has a figure without a name`);
  for (const [, name] of named) {
    assert(files.some((file) => file.endsWith(`${name}.svg`)), `${path}: ${name}`);
  }
}

/** Titles of quantitative axes without a unit, or a range, in brackets; by the charts' specs in a folder. */
async function axesWithoutUnit(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".vl.json")) continue;
    JSON.parse(await Deno.readTextFile(`${folder}/${name}`), (_, value) => {
      const title = value?.type === "quantitative" ? value.axis?.title : undefined;
      if (title && !/\(.+\)$/.test(title)) found.push(`${name}: ${title}`);
      return value;
    });
  }
  return found;
}

Deno.test({
  name: "every kind of page in Chromium: safe, drawn, legible in light and dark, wide and 360 px",
  ignore: chromiumPath === undefined,
  fn: () =>
    inTemporaryFolder(async (out) => {
      const pages = await writeSamplePages(out), browser = await openBrowser();
      try {
        assertEquals(await axesWithoutUnit(out), []);
        for (const path of Object.values(pages)) await checkFigureFiles(path);
        const paints: string[] = [];
        for (const [name, path] of Object.entries(pages)) paints.push(await lookAt(browser, name, path));
        console.log(`first paint, ms: ${paints.join(", ")}`);
        const links: Record<string, string[]> = {};
        for (const [name, path] of Object.entries(pages)) links[name] = await followLinks(path);
        assert(links.index.filter((link) => link.endsWith(".html")).length >= 9, links.index.join("\n"));
        assert(links.index.includes("explorer.html"));
        for (const name of ["index", "transitions", "concepts"]) {
          assert(links.colors.includes(`${name}.html`), name);
        }
      } finally {
        await browser.close();
      }
    }),
});
