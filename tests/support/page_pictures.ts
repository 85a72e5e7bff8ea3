/**
 * The pictures of docs/pages.md: the first screens of pages in two folders beside each other, wide and light, narrow and
 * dark.
 *
 *     deno run -A tests/support/page_pictures.ts BEFORE AFTER
 */
import type { Buffer } from "node:buffer";
import sharp from "sharp";
import type { Browser } from "playwright-core";
import { isFile } from "../../src/data/files/plain_file.ts";
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

async function looked(browser: Browser, path: string, look: Look): Promise<Buffer> {
  const { page } = await openFile(browser, path, look);
  if (await page.locator("#pixel").count() > 0) await page.locator('html[data-ready="true"]').waitFor();
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

if (import.meta.main) {
  const [before, after] = Deno.args.map((folder) => Deno.realPathSync(folder));
  const names = [...Deno.readDirSync(after)].map(({ name }) => name).filter((name) => name.endsWith(".html"));
  await Deno.mkdir(OUT, { recursive: true });
  const browser = await openBrowser();
  try {
    for (const name of names.sort()) {
      const paths: string[] = [];
      for (const folder of [before, after]) {
        if (await isFile(`${folder}/${name}`)) paths.push(`${folder}/${name}`);
      }
      for (const look of LOOKS) {
        const parts: Buffer[] = [];
        for (const path of paths) parts.push(await looked(browser, path, look));
        const file = `${OUT}/${name.replace(".html", "")}-${look.width}.webp`;
        await Deno.writeFile(file, await beside(parts, look));
        console.log(`${file}: ${(await Deno.stat(file)).size} bytes, ${parts.length} pages`);
      }
    }
  } finally {
    await browser.close();
  }
}
