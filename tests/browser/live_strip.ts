/** Pictures of the live page as a strip: a photograph dropped, layers filling, their colors, those of the saved space, a click, the cortex. */
import { Buffer } from "node:buffer";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { closeGpu, openGpu } from "../../mod.ts";
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { readSpace } from "../../src/data/fits/space_file.ts";
import { writeLive } from "../../tasks/live.ts";
import { serveFolder } from "../../tasks/serve.ts";
import { openChromium, openPage } from "./chromium.ts";
import { smallSpace, writeScene } from "./live_folder.ts";

const WIDTH = 760, HEIGHT = 830, GAP = 12, ACROSS = 3, SEED = 3, QUALITY = 80;
/** Layers that are there when the filling is looked at; the one that is clicked. */
const FILLED = 5, CLICKED = 7;

/** Drags a file over the page as from a folder, and drops it. @param between what is done before it is dropped */
async function dropFile(page: Page, path: string, between: () => Promise<void>): Promise<void> {
  const { x, y, width, height } = (await page.locator("#drop").boundingBox())!;
  const devtools = await page.context().newCDPSession(page);
  const drag = (type: "dragEnter" | "dragOver" | "drop") =>
    devtools.send("Input.dispatchDragEvent", {
      type,
      x: x + width / 2,
      y: y + height / 2,
      data: { items: [], files: [path], dragOperationsMask: 1 },
    });
  await drag("dragEnter");
  await drag("dragOver");
  await between();
  await drag("drop");
}

/**
 * Writes the strip as a WebP file.
 *
 * @param space a file of `./run colors --save-space`; default a small one of the model
 */
export async function writeStrip(file: string, model: string, space?: string): Promise<void> {
  const dir = await Deno.makeTempDir(), gpu = await openGpu(), shots: Buffer[] = [];
  try {
    const saved = space ? await readSpace(space) : await smallSpace(gpu, model, dir);
    await writeScene(`${dir}/horse.png`, SEED);
    await writeLive(`${dir}/live`, [model], { path: space ?? "small.arrow", saved });
    await using server = await serveFolder(`${dir}/live`, 0);
    await using chromium = await openChromium({});
    const page = await openPage({ ...chromium, origin: `http://127.0.0.1:${server.addr.port}` });
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    await page.locator("#files:enabled").waitFor({ state: "attached" });
    const shoot = async (selector?: string, block = "start") => {
      if (selector) {
        await page.evaluate(`document.querySelector("${selector}").scrollIntoView({ block: "${block}" })`);
      }
      shots.push(Buffer.from(await page.screenshot()));
    };
    await page.selectOption("#colors", "own");
    await dropFile(page, `${dir}/horse.png`, shoot);
    await page.locator(".tile button").nth(FILLED - 1).waitFor();
    await shoot("#drop");
    await page.locator(".photograph.done").waitFor();
    await shoot(".photograph");
    await page.selectOption("#colors", "space");
    await shoot(".photograph");
    await page.locator(".tile button").nth(CLICKED - 1).click({ position: { x: 40, y: 40 } });
    await page.locator("#exploration[data-ready]").waitFor();
    await shoot();
    await shoot("#cortex canvas", "center");
  } finally {
    closeGpu(gpu);
    await Deno.remove(dir, { recursive: true });
  }
  const rows = Math.ceil(shots.length / ACROSS);
  const strip = sharp({
    create: {
      width: ACROSS * WIDTH + (ACROSS - 1) * GAP,
      height: rows * HEIGHT + (rows - 1) * GAP,
      channels: 3,
      background: "white",
    },
  }).composite(shots.map((input, at) => ({
    input,
    left: at % ACROSS * (WIDTH + GAP),
    top: Math.floor(at / ACROSS) * (HEIGHT + GAP),
  })));
  await writeFileAtomic(file, await strip.webp({ quality: QUALITY }).toBuffer());
}
