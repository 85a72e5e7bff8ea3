/** Modules and test files in a page of headless Chromium, whose WebGPU is Dawn and Tint on SwiftShader. */
import type { Browser, Page } from "playwright-core";
import { bundle } from "../../tasks/shared/bundle.ts";
import { openBrowser } from "../support/browser.ts";
import type { PageResult } from "./in_page.ts";

/** Its own software adapter, whatever cards there are. */
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

/** What test files import that a page does not have, and `mod.ts`, which reads files, too. */
const INSTEAD = {
  "@std/assert": "tests/std/assert/mod.ts",
  "node:util": "tests/browser/node.ts",
  "node:assert": "tests/browser/node.ts",
  "mod.ts": "browser.ts",
};

/** Files by their paths: text or bytes. */
export type Served = Record<string, string | Uint8Array<ArrayBuffer>>;

/** A browser and files for it, on this machine only. */
export interface Chromium extends AsyncDisposable {
  browser: Browser;
  /** "http://127.0.0.1:PORT" */
  origin: string;
}

const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript" };

/** Starts Chromium with WebGPU, and a server of a few files. @param served by path, as "/page.html" */
export async function openChromium(served: Served): Promise<Chromium> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const { pathname } = new URL(url), body = served[pathname];
    const type = TYPES[/(?:\.(\w+))?$/.exec(pathname)![1] ?? "html"] ?? "application/octet-stream";
    return body === undefined
      ? new Response("", { status: 404 })
      : new Response(body, { headers: { "content-type": type } });
  });
  const browser = await openBrowser(WEBGPU).catch(async (error) => {
    await server.shutdown();
    throw error;
  });
  return {
    browser,
    origin: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.shutdown();
    },
  };
}

/** Opens a page of those served, and waits for minutes if it must: a software adapter is slow where others compute beside it. */
export async function openPage(
  { browser, origin }: Chromium,
  path = "/",
  before?: () => void,
): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(300_000);
  if (before) await page.addInitScript(before);
  await page.goto(origin + path);
  return page;
}

/** Test files as one module, which loads each when `run(FILE)` asks for it. */
export function bundleTests(files: readonly string[], seed: number): Promise<string> {
  const loads = files.map((file) => `${JSON.stringify(file)}: () => import("./${file}")`);
  return bundle(
    `import { runFile, shareDevices, standIn } from "./tests/browser/in_page.ts";
standIn({ ALIGNEDCUT_TEST_SEED: "${seed}" });
shareDevices();
const files = { ${loads.join(", ")} };
globalThis.run = (file) => runFile(file, files[file]);`,
    { instead: INSTEAD, minify: false },
  );
}

/** Runs the tests of a file. */
export async function runInPage(page: Page, file: string): Promise<PageResult[]> {
  await page.waitForFunction("globalThis.run");
  return await page.evaluate(`run(${JSON.stringify(file)})`);
}
