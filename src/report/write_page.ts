/** A page, and its figures if they are asked for. */
import { writeFileAtomic } from "../data/atomic_write.ts";
import { type FigureFormat, saveFigures } from "./figure_files.ts";
import { type Page, renderPage } from "./page.ts";

/**
 * Writes a page, and its charts and drawings as files under `figures` beside it.
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
  const markup = renderPage(page);
  await writeFileAtomic(path, markup);
  await saveFigures(path, markup, formats);
  return path;
}
