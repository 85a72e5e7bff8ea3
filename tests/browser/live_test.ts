/** The live page in Chromium, from its folder as `./run serve` shows it: its numbers are Deno's. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { closeGpu, colorsFromPoints, openGpu } from "../../mod.ts";
import { hostTsne } from "../../src/embed/host_tsne.ts";
import { COMPONENTS } from "../../src/experiments/live/compute.ts";
import { openSpace, packSpace } from "../../src/experiments/live/space.ts";
import { layerColors } from "../../src/experiments/shared/layer_colors.ts";
import { tokensInSpace } from "../../src/experiments/shared/space_colors.ts";
import { isRuntimeThere, writeLive } from "../../tasks/live.ts";
import { serveFolder } from "../../tasks/serve.ts";
import { assertClose } from "../support/assert_close.ts";
import { chromiumPath } from "../support/browser.ts";
import { largestPrincipalAngle, leadingColumns } from "../support/principal_angle.ts";
import { openChromium, openPage } from "./chromium.ts";
import { layersHere, smallSpace, writeScene } from "./live_folder.ts";

const MODEL = "clip_tiny", TOLERANCE = 1e-3;
/** Of patches whose two nearest nodes of the map are about as near, rounding may choose either. */
const MAX_OTHERS = 0.01;
const missing = chromiumPath === undefined
  ? "there is no Chromium"
  : await isRuntimeThere()
  ? undefined
  : "onnxruntime-web is not there: ./run live downloads it";
const skipped = missing ? ` (skipped: ${missing})` : "";

/** Numbers of a photograph in the page. */
interface Found {
  space: { colors: number[]; eigenvectors: number[] } | null;
  layers: { eigenvalues: number[]; eigenvectors: number[]; colors: number[] }[];
}

/** What the page computed of its first photograph. */
function found(page: Page): Promise<Found> {
  return page.evaluate<Found>(`(({ space, layers }) => ({
    space: space && { colors: [...space.colors], eigenvectors: [...space.eigenvectors] },
    layers: layers.map(({ eigenvalues, eigenvectors, colors }) =>
      ({ eigenvalues, eigenvectors: [...eigenvectors], colors: [...colors] })),
  }))(live.results[0])`);
}

/** Components up to the largest gap between eigenvalues, behind the first. */
function widestGap(values: ArrayLike<number>): number {
  let widest = 1;
  for (let c = 1; c + 1 < values.length; c++) {
    if (values[c] - values[c + 1] > values[widest] - values[widest + 1]) widest = c;
  }
  return widest + 1;
}

Deno.test({
  name:
    `a photograph dropped into the live page has Deno's numbers, answers clicks, and nothing leaves${skipped}`,
  ignore: missing !== undefined,
  fn: async () => {
    const dir = await Deno.makeTempDir(), photograph = `${dir}/scene.png`, gpu = await openGpu();
    await writeScene(photograph, 3);
    await Deno.writeTextFile(`${dir}/none.png`, "no image");
    const saved = await smallSpace(gpu, MODEL, dir);
    await writeLive(`${dir}/live`, [MODEL], { path: `${dir}/space.arrow`, saved });
    await using server = await serveFolder(`${dir}/live`, 0);
    await using chromium = await openChromium({});
    const origin = `http://127.0.0.1:${server.addr.port}`;
    const page = await openPage({ ...chromium, origin }), troubles: string[] = [], elsewhere: string[] = [];
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") troubles.push(message.text());
    });
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
      "none.png is not an image that this browser can read: give a PNG, JPEG or WebP file.",
    ]);

    const there = await found(page), { images: [here] } = await layersHere(MODEL, [photograph]);
    assertEquals(there.layers.length, here.length);
    const space = openSpace(gpu, packSpace(saved).buffer);
    const inSpace = await tokensInSpace(gpu, space, here.map((tokens, slot) => ({ slot, tokens })));
    assertClose(there.space!.eigenvectors, inSpace.eigenvectors.data, { relative: TOLERANCE, note: "space" });
    const others = inSpace.colors.filter((value, at) => value !== there.space!.colors[at]).length;
    assert(
      others <= MAX_OTHERS * inSpace.colors.length,
      `${others} of ${inSpace.colors.length} bytes differ`,
    );
    const otherLayers: number[] = [];
    for (const [at, tokens] of here.entries()) {
      const { eigenvalues, eigenvectors, colors } = there.layers[at], note = `layer ${at + 1}`;
      const { cut, colors: colorsHere } = await layerColors(gpu, tokens, { components: COMPONENTS });
      assertClose(eigenvalues, cut.eigenvalues, { relative: TOLERANCE, note });
      const own = { data: Float32Array.from(eigenvectors), rows: tokens.rows, cols: COMPONENTS };
      const count = widestGap(cut.eigenvalues),
        parts = [own, cut.eigenvectors].map((x) => leadingColumns(x, count));
      const angle = largestPrincipalAngle(parts[0], parts[1], tokens.rows, count);
      assert(angle <= TOLERANCE, `${note}: ${count} eigenvectors are ${angle} rad apart`);
      if (colorsHere.some((value, i) => Math.abs(value - colors[i]) > 1)) otherLayers.push(at + 1);
      const expected = colorsFromPoints(hostTsne(own, { start: "columns" }).points);
      assertEquals(Uint8Array.from(colors), expected, `${note}: colors of the page's own eigenvectors`);
    }
    closeGpu(gpu);
    // Of 108 layers whose features were changed by a millionth, three had a byte that differed by more than 1.
    assert(
      otherLayers.length <= 1,
      `colors of layers ${otherLayers} differ from Deno's by more than 1 of 255`,
    );

    const narrowest =
      "Math.min(...[...document.querySelectorAll('.tile canvas')].map((own) => own.clientWidth))";
    assert(await page.evaluate<number>(narrowest) >= 160, "pictures of 160 px or more");
    assertEquals(await page.locator(".beside").isVisible(), false, "the folder is shown alone");

    await page.locator(".tile button").nth(5).click();
    await page.locator("#exploration[data-ready]").waitFor();
    assertMatch(
      await page.locator("#status").textContent() ?? "",
      /^Clicked: scene\.png, clip_tiny layer 6, row \d+, column \d+\. Strongest region: (?:V1|FFA), [+−]/,
    );
    await page.locator("#pixel").press("f");
    await page.locator('figure:has([data-map="cut"]) figcaption', { hasText: "1 of 1 on their side" })
      .waitFor();
    assertEquals(await page.locator("#cortex canvas").count(), 1);
    await page.selectOption("#colors", "own");
    assertEquals(await page.locator("#exploration").count(), 0);
    await page.locator(".tile button").nth(5).click();
    await page.locator("#exploration[data-ready]").waitFor();
    assertEquals(await page.locator("#cortex").count(), 0);

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
    await without.locator("#without", { hasText: "WebGPU" }).waitFor();
    assertMatch(
      await without.locator("#without").textContent() ?? "",
      /^This browser gives no WebGPU: plain JavaScript .*; the saved space is left out\.$/,
    );
    assert(await without.locator("#files").isEnabled()); // `./run test-browser --live` drops a photograph there
    await Deno.remove(dir, { recursive: true });
  },
});
