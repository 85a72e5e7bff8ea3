/** Links from a page to the pages beside it: the index, the previous page and the next. */
import { readIfThere } from "../data/files/plain_file.ts";
import { basename, dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { type Html, html, rawHtml, unescapeHtml } from "./html.ts";

/** A page as others link to it. */
export interface PageLink {
  /** What the link says. */
  title: string;
  /** File beside the page that links to it. */
  href: string;
}

/** Where a page's reader can go on; absent links lead nowhere. */
export interface PagesBeside {
  /** The index. */
  home?: PageLink;
  /** The page before, in the index's order. */
  previous?: PageLink;
  /** The page after. */
  next?: PageLink;
}

const INDEX = "index.html";
const HOME: PageLink = { title: "All pages", href: INDEX };
const NAVIGATION = /<nav class="beside"[^]*?<\/nav>/g;

/**
 * The links of a page; hidden where there are none, for `linkPages` to fill.
 * @param links Where they lead.
 * @param folder Where those pages are, from this one.
 * @throws TypeError `A page links to files beside it only, found "…".`
 */
export function pageLinks({ home, previous, next }: PagesBeside = {}, folder: "" | "../" = ""): Html {
  const link = (page: PageLink | undefined, kind: string, before = "", after = "") =>
    page === undefined
      ? ""
      : html`<a class="${kind}" href="${folder}${checkHref(page.href)}">${before}${page.title}${after}</a>\n`;
  const links = [link(home, "home"), link(previous, "previous", "← "), link(next, "next", "", " →")];
  const hidden = rawHtml(links.every((own) => own === "") ? " hidden" : "");
  return html`
    <nav class="beside" aria-label="Pages" ${hidden}>${links}</nav>
  `;
}

/** Links lead to files beside the page only. */
function checkHref(href: string): string {
  if (/^[\w.-]+(#[\w-]+)?$/.test(href)) return href;
  throw new TypeError(`A page links to files beside it only, found "${href}".`);
}

/**
 * Links of a page to those that the index beside it lists.
 * @param path Of the page, whether or not it exists yet.
 * @returns No links where there is no index, or for the index itself.
 */
export async function linksBeside(path: string): Promise<PagesBeside> {
  const name = basename(path), listed = name === INDEX ? undefined : await pagesOf(dirname(path));
  return listed === undefined ? {} : neighborsOf(name, listed);
}

/**
 * Links of a page in a folder of its own to those beside that folder: the index, and the last page that it lists, after
 * which this one comes.
 * @param folder Of the page.
 * @returns No links where there is no index of pages beside the folder.
 */
export async function linksAbove(folder: string): Promise<PagesBeside> {
  const listed = await pagesOf(dirname(resolve(folder)));
  return listed?.length ? { home: HOME, previous: listed.at(-1) } : {};
}

/** Pages that a folder's index lists, in order; undefined where there is none. */
async function pagesOf(folder: string): Promise<PageLink[] | undefined> {
  const index = await readIfThere(join(folder, INDEX));
  if (index === undefined) return undefined;
  return [...index.matchAll(/<h3><a href="([^"]+)">([^<]*)<\/a><\/h3>/g)]
    .map(([, href, title]) => ({ href, title: unescapeHtml(title) }));
}

/**
 * Links pages that are there to their index and to each other, in order.
 * @param folder Of the pages.
 * @param pages As the index lists them; files that `renderPage` did not make are left as they are.
 */
export async function linkPages(folder: string, pages: readonly PageLink[]): Promise<void> {
  for (const { href } of pages) {
    const path = join(folder, href), markup = await readIfThere(path);
    const linked = markup && withLinks(markup, neighborsOf(href, pages));
    if (linked !== markup) await writeFileAtomic(path, linked!);
  }
}

/**
 * A page whose links lead elsewhere.
 * @param markup Of `renderPage` or `renderScriptPage`.
 * @param beside Where they lead.
 */
export function withLinks(markup: string, beside: PagesBeside): string {
  const { markup: links } = pageLinks(beside);
  return markup.replaceAll(NAVIGATION, () => links.trimEnd());
}

function neighborsOf(href: string, pages: readonly PageLink[]): PagesBeside {
  const at = pages.findIndex((page) => page.href === href);
  return at < 0 ? { home: HOME } : { home: HOME, previous: pages[at - 1], next: pages[at + 1] };
}
