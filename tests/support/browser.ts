import type { Browser, Page } from "playwright-core";

/** Where Chromium is: `$CHROMIUM`, else Debian's place; undefined when there is none. */
export const chromiumPath: string | undefined = [Deno.env.get("CHROMIUM"), "/usr/bin/chromium"].find(isFile);

function isFile(path: string | undefined): path is string {
  try {
    return path !== undefined && Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Milliseconds that a page may take for anything: on a busy machine shaders alone take half a minute to compile. */
const PATIENCE = 120_000;

/** How a page is looked at. */
export interface Look {
  width: number;
  height?: number;
  colorScheme: "light" | "dark";
}

/** What went wrong while a page was open. */
export interface PageTrouble {
  /** Console errors, warnings and uncaught exceptions. */
  errors: string[];
  /** Requests for anything but file: and data: URLs. */
  requests: string[];
}

/**
 * Starts a headless Chromium that asks nothing of the network by itself.
 * @param args More command-line switches, for instance `--enable-unsafe-webgpu`.
 */
export async function openBrowser(args: string[] = []): Promise<Browser> {
  const chromium = await loadPlaywright();
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      ...args,
    ],
  });
}

/**
 * Loads Playwright. While it loads it looks for Windows under `/proc/sys`, which Deno allows only with every
 * permission; the variable makes it leave that out.
 */
async function loadPlaywright() {
  Deno.env.set("__IS_WSL_TEST__", "1");
  const { chromium } = await import("playwright-core");
  return chromium;
}

/**
 * Opens a file and records what a reader would not see.
 * @param browser From `openBrowser`.
 * @param path Absolute path of the HTML file.
 * @param look Window size in CSS pixels and color scheme.
 * @returns The loaded page, and its troubles so far, which go on being recorded.
 */
export async function openFile(
  browser: Browser,
  path: string,
  { width, height = 800, colorScheme }: Look,
): Promise<{ page: Page; trouble: PageTrouble }> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  page.setDefaultTimeout(PATIENCE);
  const trouble: PageTrouble = { errors: [], requests: [] };
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") trouble.errors.push(message.text());
  });
  page.on("pageerror", (error) => trouble.errors.push(String(error)));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) trouble.requests.push(request.url());
  });
  await page.goto(`file://${path}`, { waitUntil: "load" });
  return { page, trouble };
}

/** Pixels by which a page is wider than its window; 0 when nothing overflows. */
export function horizontalOverflow(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}
