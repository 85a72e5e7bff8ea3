/** A page, and its figures if they are asked for. */
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { skippedLines } from "../data/files/skipped.ts";
import { type FigureFormat, saveFigures } from "./figure_files.ts";
import { linksBeside } from "./page_links.ts";
import { type Page, renderPage } from "./page.ts";

/**
 * Writes a page, with what the run has skipped among its settings, links to the pages that an index beside it lists, and its charts and drawings as files under `figures`
 * beside it.
 *
 * @param path of the page; its folder exists
 * @param page what it says
 * @param formats of the figures' files; none if not given
 * @returns the path
 */
export async function writePage(
  path: string,
  page: Page,
  formats: readonly FigureFormat[] = [],
): Promise<string> {
  const skipped = skippedLines();
  const settings = skipped.length > 0
    ? { ...page.settings, "left out or odd": skipped.join(" · ") }
    : page.settings;
  const markup = renderPage({ beside: await linksBeside(path), ...page, settings });
  await writeFileAtomic(path, markup);
  await saveFigures(path, markup, formats);
  return path;
}
