/**
 * The pictures of docs/pages.md: the first screens of pages in two folders beside each other, wide and light, narrow and
 * dark. A page that BEFORE lacks keeps the left half of the picture that it has.
 *
 *     deno run -A tests/support/page_pictures.ts BEFORE AFTER
 */
import type { Buffer } from "node:buffer";
import sharp from "sharp";
import type { Browser } from "playwright-core";
import { isFile } from "../../src/data/files/plain_file.ts";
import { serveFolder } from "../../tasks/serve.ts";
import { writeScene } from "../browser/live_folder.ts";
import { openBrowser, openFile } from "./browser.ts";

const OUT = new URL("../../docs/pages", import.meta.url).pathname;
/** How pages are looked at, and how wide each is in its picture. */
const LOOKS = [
  { width: 1280, height: 1500, colorScheme: "light", shown: 640 },
  { width: 360, height: 1400, colorScheme: "dark", shown: 320 },
] as const;
/** Pixels between two pages, and bytes of a picture at most. */
const GAP = 16, MOST = 60_000;

type Look = typeof LOOKS[number];

/** What a picture that is there shows of the page before, in the size of one page; none where it shows one page alone. */
async function shownBefore(file: string, { width, height, shown }: Look): Promise<Buffer[]> {
  if (!await isFile(file)) return [];
  const found = await sharp(await Deno.readFile(file)).metadata();
  if (found.width !== 2 * shown + GAP) return [];
  const half = { left: 0, top: 0, width: shown, height: Math.round(height * shown / width) };
  return [await sharp(await Deno.readFile(file)).extract(half).png().toBuffer()];
}

/** The live page of a folder, with a scene that it has computed. */
async function lookedLive(browser: Browser, folder: string, look: Look): Promise<Buffer> {
  const dir = await Deno.makeTempDir(), scene = `${dir}/scene.png`;
  await writeScene(scene, 3);
  await using server = await serveFolder(folder, 0);
  const page = await browser.newPage({ viewport: look, colorScheme: look.colorScheme });
  page.setDefaultTimeout(600_000);
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  await page.locator("#files:enabled").waitFor({ state: "attached" });
  await page.locator("#files").setInputFiles([scene]);
  await page.locator(".photograph.done").waitFor();
  await page.waitForTimeout(2000);
  const picture = await page.screenshot({ animations: "disabled" });
  await page.close();
  await Deno.remove(dir, { recursive: true });
  return await sharp(picture).resize({ width: look.shown }).png().toBuffer();
}

async function looked(browser: Browser, path: string, look: Look): Promise<Buffer> {
  const { page } = await openFile(browser, path, look);
  if (await page.locator("#pixel, #board").count() > 0) {
    await page.locator('html[data-ready="true"]').waitFor();
  }
  await page.waitForTimeout(1000);
  const picture = await page.screenshot({ animations: "disabled" });
  await page.close();
  return await sharp(picture).resize({ width: look.shown }).png().toBuffer();
}

/** One page or two, the page before at the left, in the best quality that fits. */
async function beside(parts: Buffer[], { width, height, shown }: Look): Promise<Buffer> {
  const joined = sharp({
    create: {
      width: parts.length * (shown + GAP) - GAP,
      height: Math.round(height * shown / width),
      channels: 3,
      background: "#808080",
    },
  }).composite(
    parts.map((input, i) => ({ input, left: i * (shown + GAP), top: 0 })),
  );
  const raw = await joined.png().toBuffer();
  for (let quality = 80; quality > 10; quality -= 10) {
    const file = await sharp(raw).webp({ quality, effort: 6, smartSubsample: true }).toBuffer();
    if (file.length <= MOST) return file;
  }
  throw new Error(`A picture of ${shown} pixels is larger than ${MOST} bytes at any quality.`);
}

function fileOf(name: string, { width }: Look): string {
  return `${OUT}/${name}-${width}.webp`;
}

async function write(file: string, parts: Buffer[], look: Look): Promise<void> {
  await Deno.writeFile(file, await beside(parts, look));
  console.log(`${file}: ${(await Deno.stat(file)).size} bytes, ${parts.length} pages`);
}

if (import.meta.main) {
  const [before, after] = Deno.args.map((folder) => Deno.realPathSync(folder));
  const names = [...Deno.readDirSync(after)].map(({ name }) => name).filter((name) => name.endsWith(".html"));
  await Deno.mkdir(OUT, { recursive: true });
  const browser = await openBrowser();
  try {
    for (const name of names.sort()) {
      for (const look of LOOKS) {
        const file = fileOf(name.replace(".html", ""), look);
        const parts = await isFile(`${before}/${name}`)
          ? [await looked(browser, `${before}/${name}`, look)]
          : await shownBefore(file, look);
        parts.push(await looked(browser, `${after}/${name}`, look));
        await write(file, parts, look);
      }
    }
    for (const look of await isFile(`${after}/live/index.html`) ? LOOKS : []) {
      await write(fileOf("live", look), [await lookedLive(browser, `${after}/live`, look)], look);
    }
  } finally {
    await browser.close();
  }
}
