/** The explorer's page of a small sample, in a browser. */
import type { Browser, Page } from "playwright-core";
import { renderExplorer } from "./render_explorer.ts";
import type { VoxelSheet } from "../../src/pipeline/voxel_sheet.ts";
import { type Look, openBrowser, openFile, type PageTrouble } from "./browser.ts";
import { sampleExploration } from "./sample_exploration.ts";

/** A desktop. */
export const WIDE: Look = { width: 1280, colorScheme: "light" };
/** No error, no request. */
export const NOTHING: PageTrouble = { errors: [], requests: [] };
/** Says how the image was cut. */
export const CUT_CAPTION = 'figure:has([data-map="cut"]) figcaption';

/** What the page is made from. */
export type Sample = Awaited<ReturnType<typeof sampleExploration>>;

/** Writes the page to a folder of its own and opens a browser. */
export async function withPage(
  args: string[],
  body: (browser: Browser, path: string, sample: Sample) => Promise<void>,
  sheet?: VoxelSheet,
): Promise<void> {
  const folder = await Deno.makeTempDir(), browser = await openBrowser(args);
  try {
    const sample = await sampleExploration(sheet);
    const text = { method: "By cosine.", settings: { seed: 0 }, command: "./run explorer" };
    await Deno.writeTextFile(`${folder}/explorer.html`, await renderExplorer(sample.content, text));
    await body(browser, `${folder}/explorer.html`, sample);
  } finally {
    await browser.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Opens the page and waits for its first answer, and for its first cut of the image. */
export async function open(browser: Browser, path: string, look = WIDE) {
  const opened = await openFile(browser, path, look);
  await opened.page.locator('html[data-ready="true"]').waitFor();
  await opened.page.locator(CUT_CAPTION, { hasText: "λ₂" }).waitFor();
  // Chromium itself notes in the console that it has no adapter, which a page cannot know before it asks.
  opened.trouble.errors = opened.trouble.errors.filter((error) => error !== "No available adapters.");
  return opened;
}

/** Takes another pixel than the first, wherever the page opens: a click on the first changes something, then. */
export async function leaveFirst(page: Page) {
  await page.evaluate("location.hash = '#pixel=3,3'");
  await page.locator("#status", { hasText: "row 3, column 3" }).waitFor();
}
