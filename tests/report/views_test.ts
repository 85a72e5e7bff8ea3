/** Key views of pages beside those that were committed, as averages of blocks: fonts may differ, pictures may not. */
import { assert, assertEquals } from "@std/assert";
import type { Browser, Locator } from "playwright-core";
import type { Matrix } from "../../mod.ts";
import { readImage } from "../../src/data/images/image.ts";
import type { RgbImage } from "../../src/data/images/picture.ts";
import { renderExplorer } from "../support/render_explorer.ts";
import { renderFrontPage } from "../../src/report/front_page.ts";
import { leadFigure } from "../../src/report/lead_figure.ts";
import { renderShowcase } from "../../src/report/showcase/page.ts";
import { pngDataUri } from "../../src/report/tiny_png.ts";
import { chromiumPath, type Look, openBrowser, openFile } from "../support/browser.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { sampleExploration, surfaceSheet } from "../support/sample_exploration.ts";
import { samplePage } from "../support/sample_page.ts";

const COMMITTED = new URL("../golden/views.json", import.meta.url);
/** Set to write the views instead: look at the pages first. */
const IS_WRITING = Deno.env.get("ALIGNEDCUT_WRITE_VIEWS") === "1";
/** Blocks of a view on each side. */
const BLOCKS = 12;
/** How far averages of blocks may be from those committed, of 255: in the mean, and one alone. A glyph more changes a block by less. */
const MEAN = 6, MOST = 60;
const WIDE: Look = { width: 1280, height: 1000, colorScheme: "light" };

/** A view: a page, how it is looked at, and what of it is compared, first to last. */
interface View {
  name: string;
  page: () => Promise<string>;
  look: Look;
  parts: string;
  count: number;
}

/** The same on every machine and in every run. */
function fixedMatrix(rows: number, cols: number, key = 0): Matrix {
  const data = Float32Array.from(
    { length: rows * cols },
    (_, i) => Math.sin(0.21 * (i % cols + 1) * (Math.floor(i / cols) % 21) + key + Math.floor(i / cols / 84)),
  );
  return { data, rows, cols };
}

const TEXT = { method: "", settings: {}, command: "" };

async function explorerPage(): Promise<string> {
  const { content } = await sampleExploration(await surfaceSheet(), fixedMatrix);
  return await renderExplorer({ ...content, opening: { image: 1, slot: 2, token: 8, reason: "" } }, TEXT);
}

async function frontPage(): Promise<string> {
  const figure = leadFigure((await samplePage()).replace(/<div class="color-grid"[^]*?<\/section>/, ""), "a");
  return await renderFrontPage({
    ...TEXT,
    question: "",
    data: "",
    leftOut: {},
    cards: [{ title: "a", question: "b", href: "a.html", claims: [], figure }],
  });
}

async function showcasePage(): Promise<string> {
  const map = { rows: 6, cols: 6 }, n = 2 * 36;
  const photo = pngDataUri(2, 2, Uint8Array.of(200, 60, 40, 40, 90, 200, 240, 220, 120, 20, 20, 20));
  const content = {
    model: "tiny",
    map,
    layers: [1, 2],
    first: 1,
    opening: "",
    segmentCount: 3,
    components: 2,
    photos: [{ title: "a", photo }],
    spots: [],
    colors: Uint8Array.from({ length: 3 * n }, (_, i) => 41 * (i % 3) + 2 * (i / 3 % 36) + 60),
    segments: new Uint8Array(n),
    directions: new Uint8Array(2 * n).fill(90),
  };
  return await renderShowcase(content, {
    ...TEXT,
    question: "",
    lead: "",
    method: [],
    numbers: { markup: "" },
  });
}

const VIEWS: View[] = [
  {
    name: "the explorer's maps",
    page: explorerPage,
    look: WIDE,
    parts: ".map",
    count: 6,
  },
  { name: "the explorer's cortex", page: explorerPage, look: WIDE, parts: "#cortex canvas", count: 1 },
  {
    name: "a color grid",
    page: samplePage,
    look: WIDE,
    parts: ".color-grid img",
    count: 4,
  },
  {
    name: "a chart on a dark phone",
    page: samplePage,
    look: { width: 360, colorScheme: "dark" },
    parts: "figure svg:visible",
    count: 1,
  },
  { name: "a card of the front page", page: frontPage, look: WIDE, parts: ".lead-figure svg", count: 1 },
  {
    name: "the showcase in the dark",
    page: showcasePage,
    look: { ...WIDE, colorScheme: "dark" },
    parts: ".pair img:visible, .pair canvas",
    count: 3,
  },
];

/** Mean red, green and blue of each block, row by row. */
function blocksOf({ width, height, data }: RgbImage): number[] {
  const sums = new Float64Array(3 * BLOCKS * BLOCKS), sizes = new Float64Array(BLOCKS * BLOCKS);
  for (let i = 0; i < width * height; i++) {
    const x = Math.floor(i % width * BLOCKS / width), y = Math.floor(Math.floor(i / width) * BLOCKS / height);
    const block = y * BLOCKS + x;
    sizes[block]++;
    for (let c = 0; c < 3; c++) sums[3 * block + c] += data[3 * i + c];
  }
  return Array.from(sums, (sum, i) => Math.round(sum / sizes[Math.floor(i / 3)]));
}

async function pictureOf(part: Locator, folder: string): Promise<number[]> {
  await part.screenshot({ path: `${folder}/part.png`, animations: "disabled" });
  return blocksOf(await readImage(`${folder}/part.png`));
}

async function lookAt(browser: Browser, view: View, folder: string): Promise<number[]> {
  await Deno.writeTextFile(`${folder}/page.html`, await view.page());
  const { page } = await openFile(browser, `${folder}/page.html`, view.look);
  if (await page.locator("#pixel, #board").count() > 0) {
    await page.locator('html[data-ready="true"]').waitFor();
  }
  if (await page.locator("#pixel").count() > 0) {
    await page.locator("figcaption", { hasText: "two-way normalized cut" }).waitFor();
  }
  const seen: number[] = [];
  for (let i = 0; i < view.count; i++) {
    seen.push(...await pictureOf(page.locator(view.parts).nth(i), folder));
  }
  await page.close();
  return seen;
}

Deno.test({
  name: "six key views look as committed, block by block",
  ignore: chromiumPath === undefined,
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const browser = await openBrowser(), seen: Record<string, string> = {};
      try {
        const committed: Record<string, string> = JSON.parse(
          await Deno.readTextFile(COMMITTED).catch(() => "{}"),
        );
        for (const view of VIEWS) {
          const found = Uint8Array.from(await lookAt(browser, view, folder));
          seen[view.name] = found.toBase64();
          if (IS_WRITING) continue;
          const expected = Uint8Array.fromBase64(committed[view.name]);
          assertEquals(found.length, expected.length, view.name);
          const apart = found.map((value, i) => Math.abs(value - expected[i]));
          const mean = apart.reduce((sum, value) => sum + value, 0) / apart.length, most = Math.max(...apart);
          assert(
            mean <= MEAN && most <= MOST,
            `${view.name} is ${mean.toFixed(1)} of 255 from what was committed, one block ${most}`,
          );
        }
      } finally {
        await browser.close();
      }
      if (IS_WRITING) await Deno.writeTextFile(COMMITTED, JSON.stringify(seen, null, 2) + "\n");
    }),
});
