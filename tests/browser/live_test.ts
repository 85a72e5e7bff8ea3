/** The live page in Chromium, from its folder as `./run serve` shows it: its numbers are Deno's. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "fast-png";
import { renderScene } from "../../fixtures/scenes/mod.ts";
import { closeGpu, normalizedCut, openGpu } from "../../mod.ts";
import { streamFeatures } from "../../src/data/features/stream_features.ts";
import { openKnownModel } from "../../src/data/models/known_models.ts";
import { readImage } from "../../src/data/images/image.ts";
import { COMPONENTS } from "../../src/experiments/live/compute.ts";
import { isRuntimeThere, writeLive } from "../../tasks/live.ts";
import { serveFolder } from "../../tasks/serve.ts";
import { assertClose } from "../support/assert_close.ts";
import { chromiumPath } from "../support/browser.ts";
import { openChromium, openPage } from "./chromium.ts";

const MODEL = "clip_tiny", TOLERANCE = 1e-3;
const missing = chromiumPath === undefined
  ? "there is no Chromium"
  : await isRuntimeThere()
  ? undefined
  : "onnxruntime-web is not there: ./run live downloads it";

/** Eigenvalues of every layer, as Deno computes them. */
async function eigenvaluesHere(path: string): Promise<number[][]> {
  const { preprocessor, path: model } = await openKnownModel(MODEL), vectors: Float32Array[] = [];
  const { width } = await streamFeatures({
    model,
    preprocessor,
    images: [{ name: path, load: () => readImage(path) }],
    outDir: "",
    dtype: "float32",
  }, { begin() {}, rows: (_, rows) => void vectors.push(rows.vectors) });
  const gpu = await openGpu(), found: number[][] = [];
  for (const data of vectors) {
    const x = { data, rows: data.length / width, cols: width };
    found.push([...(await normalizedCut(gpu, x, { components: COMPONENTS })).eigenvalues]);
  }
  closeGpu(gpu);
  return found;
}

Deno.test({
  name: `a photograph dropped into the live page has Deno's eigenvalues in every layer, and nothing leaves${
    missing ? ` (skipped: ${missing})` : ""
  }`,
  ignore: missing !== undefined,
  fn: async () => {
    const dir = await Deno.makeTempDir(), photograph = `${dir}/scene.png`;
    const { width, height, rgb: data } = renderScene(3);
    await Deno.writeFile(photograph, encode({ width, height, data, channels: 3, depth: 8 }));
    await Deno.writeTextFile(`${dir}/none.png`, "no image");
    await writeLive(`${dir}/live`, [MODEL]);
    await using server = await serveFolder(`${dir}/live`, 0);
    await using chromium = await openChromium({});
    const origin = `http://127.0.0.1:${server.addr.port}`;
    const page = await openPage({ ...chromium, origin }), troubles: string[] = [], elsewhere: string[] = [];
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(origin) && !/^(?:blob|data):/.test(request.url())) {
        elsewhere.push(request.url());
      }
    });
    await page.locator("#files:enabled").waitFor({ state: "attached" });
    await page.locator("#files").setInputFiles([photograph, `${dir}/none.png`]);
    await page.locator(".photograph.done").waitFor();
    await page.locator(".photograph.failed").waitFor();
    const said = await page.locator(".failed .time").allTextContents();
    assertEquals(said, [
      "none.png is no image that this browser can read: give a PNG, JPEG or WebP file.",
    ]);
    const there = await page.evaluate<number[][]>(
      "[...document.querySelectorAll('.done [data-eigenvalues]')].map((one) => JSON.parse(one.dataset.eigenvalues))",
    );
    const here = await eigenvaluesHere(photograph);
    assertEquals(there.length, here.length);
    here.forEach((values, layer) => {
      assertClose(there[layer], values, { relative: TOLERANCE, note: `layer ${layer + 1}` });
    });
    assertEquals(troubles, []);
    assertEquals(elsewhere, []);
    const violation = `new Promise((done) => {
      addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
      fetch("http://127.0.0.1:9/").catch(() => {});
    })`;
    assertEquals(await page.evaluate<string>(violation), "connect-src");
    assertEquals(await page.workers()[0].evaluate<string>(violation), "connect-src", "in the worker");
    const without = await openPage({ ...chromium, origin }, "/", () => {
      Object.defineProperty(navigator, "gpu", { value: undefined });
    });
    await without.locator("#said", { hasText: "WebGPU" }).waitFor();
    assertMatch(await without.locator("#said").textContent() ?? "", /^This browser gives no WebGPU: .*\.$/);
    assert(await without.locator("#files").isDisabled());
    await Deno.remove(dir, { recursive: true });
  },
});
