import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { renderScene } from "../../../fixtures/scenes/mod.ts";
import { savePng } from "../../../mod.ts";
import { shiftStarts, stitched } from "../../../src/data/images/shift_and_stitch.ts";
import {
  cellTokens,
  directions,
  likeColors,
  mapSize,
  SHIFTS,
  squarePhoto,
  withoutEdges,
} from "../../../src/experiments/showcase/compute.ts";
import { readResults } from "../../../src/report/results.ts";
import { renderShowcase } from "../../../src/report/showcase/page.ts";
import { COMMAND, showcase } from "../../../tasks/showcase.ts";
import { parseOptions } from "../../../src/cli/options.ts";
import { chromiumPath, horizontalOverflow, openBrowser, openFile } from "../../support/browser.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import script from "../../support/page_facts.js" with { type: "text" };
import type { RgbImage } from "../../../src/data/images/picture.ts";

const EXPORTS = new URL("../../golden/onnx_exports", import.meta.url).pathname;

/** A picture whose pixels say where they are. */
function placed(width: number, height: number): RgbImage {
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) data.set([i % width, Math.floor(i / width), 7], 3 * i);
  return { width, height, data };
}

Deno.test("squarePhoto() cuts where the focus is, and never beyond the photograph", () => {
  for (const [focus, left] of [[0, 0], [0.3, 2], [0.5, 10], [0.62, 15], [1, 20]]) {
    const { data, width, height } = squarePhoto(placed(40, 20), 20, focus);
    assertEquals([width, height, data[0], data[1], data[3 * 19]], [20, 20, left, 0, left + 19]);
  }
  const { data } = squarePhoto(placed(10, 30), 10);
  assertEquals([data[0], data[1]], [0, 10]);
  const inner = withoutEdges(placed(20, 20), 0.1);
  assertEquals([inner.width, inner.data[0], inner.data[1]], [16, 2, 2]);
});

Deno.test("cellTokens(): every cell is covered by four patches, one of each shift of its photograph", () => {
  const patch = 4, grid = { rows: 6, cols: 8 }, tokens = 1 + 48, starts = shiftStarts(patch, SHIFTS);
  const { rows, cols } = mapSize({ grid }), cells = cellTokens(2, { grid, tokens });
  assertEquals([rows, cols, cells.length], [5, 7, 4 * 2 * 35]);
  for (let cell = 0; cell < 70; cell++) {
    const own = [...cells.subarray(4 * cell, 4 * cell + 4)], shifts = new Set<number>();
    // The cell's pixels: half a patch, where the patch that begins the row or column overlaps the next one.
    const at = (i: number) => starts[1] + i * patch / 2;
    const left = at(cell % cols), top = at(Math.floor(cell % 35 / cols));
    for (const token of own) {
      assertEquals(Math.floor(token / tokens), Math.floor(cell / 35));
      const { shift, patch: inShift } = stitched(token % tokens - 1, grid.cols, SHIFTS);
      const y = patch * Math.floor(inShift / 4) + starts[Math.floor(shift / 2)];
      const x = patch * (inShift % 4) + starts[shift % 2];
      shifts.add(shift);
      assert(x <= left && left + 2 <= x + patch && y <= top && top + 2 <= y + patch, `${cell}: ${x} ${y}`);
    }
    assertEquals(shifts.size, 4);
  }
});

Deno.test("likeColors() undoes exchanged and reversed channels, and leaves like colors alone", () => {
  const colors = Uint8Array.from({ length: 300 }, (_, i) => (i * i * 31 + (i % 3) * i * 17) % 256);
  assertEquals(likeColors(colors, colors), colors);
  const turned = colors.map((_, i) =>
    i % 3 === 0 ? 255 - colors[i + 2] : i % 3 === 1 ? colors[i - 1] : 255 - colors[i - 1]
  );
  assertEquals(likeColors(turned, colors), colors);
});

Deno.test("directions() keeps cosines within 0.02, and a zero row", () => {
  const rows = 40,
    cols = 20,
    data = new Float32Array(rows * cols).map((_, i) => i < cols ? 0 : Math.sin(i * i) / 50);
  const bytes = new Int8Array(directions({ data, rows, cols }).buffer);
  const cosine = (of: ArrayLike<number>, a: number, b: number) => {
    let [dot, first, second] = [0, 0, 0];
    for (let c = 0; c < cols; c++) {
      const x = of[a * cols + c], y = of[b * cols + c];
      [dot, first, second] = [dot + x * y, first + x * x, second + y * y];
    }
    return dot / Math.sqrt(first * second);
  };
  assertEquals([...bytes.subarray(0, cols)], new Array(cols).fill(0));
  for (let a = 1; a < rows; a++) {
    for (let b = 1; b < a; b++) assert(Math.abs(cosine(bytes, a, b) - cosine(data, a, b)) < 0.02);
  }
});

/** A model of two layers and 4 × 4 patches, and three scenes of unequal sizes. */
async function inputs(dir: string) {
  const model = `${dir}/tiny.onnx`;
  await Deno.copyFile(`${EXPORTS}/timm_layer_scale_registers_dynamo20.onnx`, model);
  const steps = { size: 16, resample: 3, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
  await Deno.writeTextFile(`${dir}/tiny.preprocessor.json`, JSON.stringify(steps));
  for (const [i, name] of ["<b>a", "b", "c"].entries()) {
    const { width, height, rgb } = renderScene(i), cut = height - 9 * i;
    await savePng(`${dir}/photos/${name}.png`, { width, height: cut, data: rgb.slice(0, 3 * width * cut) });
  }
  const { options } = parseOptions(COMMAND.options, ["--quick"])!;
  return { ...options, model, images: `${dir}/photos`, out: `${dir}/out`, cache: `${dir}/cache` };
}

Deno.test("showcase writes a page of photographs of one's own, the same twice, and its numbers", () =>
  inTemporaryFolder(async (dir) => {
    const flags = await inputs(dir), args = ["--images", "photos"];
    await assertRejects(
      () => showcase({ ...flags, images: undefined, limit: 2 }, []),
      RangeError,
      "--limit belongs to",
    );
    const path = (await showcase({ ...flags, figures: ["svg", "png"] }, args))!;
    const page = await Deno.readTextFile(path), figures = [...Deno.readDirSync(`${flags.out}/figures`)];
    assertEquals(
      figures.map(({ name }) => name).sort(),
      ["colors", "contrast", "segments"].flatMap((name) => [`showcase-${name}.png`, `showcase-${name}.svg`]),
    );
    assertEquals(path, `${flags.out}/showcase.html`);
    assertStringIncludes(page, "What does a vision transformer group together in three photographs?");
    assertStringIncludes(page, "a map has 7 × 7 cells where the model has 4 × 4 patches");
    const block = (of: string, id: string) =>
      Uint8Array.fromBase64(new RegExp(`id="${id}">([^<]*)`).exec(of)![1]);
    assertEquals(["colors", "segments", "directions"].map((id) => block(page, id).length), [
      2 * 3 * 49 * 3,
      2 * 3 * 49,
      2 * 3 * 49 * 20,
    ]);
    assertEquals(
      [page.includes("\\n  "), page.includes('id="spots"'), page.includes("Authors and licenses")],
      [
        false,
        false,
        false,
      ],
    );
    assertEquals(new Set(block(page, "segments").subarray(0, 147)).size, 12);
    const { experiments: { showcase: { metrics, inputs: about } } } =
      (await readResults(`${flags.out}/results.json`))!;
    assertEquals(about, { models: ["tiny"], images: 3, nodes: 147, data: "photographs" });
    assert(metrics["eigenvalue.L2.2"] < metrics["eigenvalue.L2.1"] && metrics["residual.max"] < 1e-4);
    assertStringIncludes(await Deno.readTextFile(`${flags.out}/index.html`), 'href="showcase.html"');

    await Deno.mkdir(`${dir}/other`);
    await Deno.copyFile(`${flags.cache}/adapters.json`, `${dir}/other/adapters.json`);
    const again = await Deno.readTextFile((await showcase({ ...flags, cache: `${dir}/other` }, args))!);
    for (const id of ["colors", "segments", "directions"]) {
      assertEquals(block(again, id), block(page, id), id);
    }
    await Deno.writeTextFile(`${flags.images}/notes.txt`, "");
    const some = await Deno.readTextFile((await showcase({ ...flags, limit: 2 }, args))!);
    assertStringIncludes(some, "group together in two photographs?");
    assertStringIncludes(some, "skipped: 1 .txt");
    assertStringIncludes(some, `${flags.images}: the first 2 of 3 (--limit N takes up to 24)`);
    assert(!page.includes("left out or odd"));
    if (chromiumPath) await lookAt(path);
  }));

async function lookAt(path: string): Promise<void> {
  const browser = await openBrowser();
  try {
    for (
      const look of [{ width: 1280, colorScheme: "light" }, { width: 360, colorScheme: "dark" }] as const
    ) {
      const { page, trouble } = await openFile(browser, path, look);
      await page.locator('html[data-ready="true"]').waitFor();
      const facts = await page.evaluate<{ foreign: string[]; repeatedIds: string[]; withoutAlt: number }>(
        `(() => { ${script}; return readFacts(); })()`,
      );
      assertEquals([facts.foreign, facts.repeatedIds, facts.withoutAlt], [[], [], 0]);
      assertEquals(await horizontalOverflow(page), 0);
      const status = page.locator("#status"), photo = page.locator(".photo").first();
      for (const tile of [photo, page.locator("button.map").first()]) {
        assert((await tile.boundingBox())!.width >= 160, `${look.width} px`);
      }
      await photo.hover({ position: { x: 20, y: 20 } });
      assertStringIncludes((await status.textContent())!, "Most similar to the spot in <b>a: ");
      await page.mouse.move(1, 1);
      assertStringIncludes((await status.textContent())!, "Point at a spot");
      await photo.press("ArrowLeft");
      assertStringIncludes((await status.textContent())!, "Press Escape to clear.");
      await page.keyboard.press("Escape");
      await page.locator("fieldset label").nth(2).click();
      assertStringIncludes((await status.textContent())!, "12 segments, shared by all photographs.");
      await page.locator("button.map").nth(1).click();
      await page.locator(".strip button").first().click();
      assertEquals(await page.locator("#enlarged-title").textContent(), "b, layer 1");
      for (const picture of await page.locator(".large > *").all()) {
        assert((await picture.boundingBox())!.width >= 320, `${look.width} px`);
      }
      assertEquals(await page.locator("#layer").inputValue(), "0");
      await page.keyboard.press("Escape");
      assertEquals(await page.locator("dialog[open]").count(), 0);
      assertEquals(trouble, { errors: [], requests: [] });
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

Deno.test("renderShowcase() names authors and licenses, and pins the spots to begin with", () =>
  inTemporaryFolder(async (dir) => {
    const photo = "data:image/png;base64,iVBORw0KGgo=", map = { rows: 2, cols: 2 }, n = 2 * 2 * 4;
    const credit = {
      author: "A & B",
      license: "CC0 1.0",
      licenseUrl: "https://a.invalid/",
      source: "a 1.0: a.png",
    };
    const content = {
      model: "tiny",
      map,
      layers: [1, 2],
      first: 1,
      opening: "Opens on it.",
      segmentCount: 3,
      components: 2,
      photos: [{ title: "<i>", photo, credit }, { title: "b", photo }],
      spots: [{ name: "an <eye>", photo: 1, cell: 3, layer: 0 }],
      colors: new Uint8Array(3 * n).map((_, i) => 9 * i),
      segments: new Uint8Array(n).map((_, i) => i % 3),
      directions: new Uint8Array(2 * n).map((_, i) => i % 2 ? 90 : 90 * ((i / 2) % 2)),
    };
    const text = {
      question: "Q?",
      lead: "L",
      method: ["M"],
      numbers: { markup: "" },
      settings: {},
      command: "./run",
    };
    const page = await renderShowcase(content, text);
    for (
      const part of ["A &amp; B", '<a href="https://a.invalid/">CC0 1.0</a>', "&lt;i&gt;", "an &lt;eye&gt;"]
    ) {
      assertStringIncludes(page, part);
    }
    const bad = { ...content, photos: [{ title: "a", photo: "https://a.invalid/a.png" }] };
    await assertRejects(() => renderShowcase(bad, text), TypeError, "must be a data:image URI");
    if (!chromiumPath) return;
    await Deno.writeTextFile(`${dir}/page.html`, page);
    const browser = await openBrowser();
    try {
      const { page, trouble } = await openFile(browser, `${dir}/page.html`, {
        width: 700,
        colorScheme: "light",
      });
      const spot = page.locator("#spots button");
      await spot.click();
      assertEquals(await page.locator("#layer-number").textContent(), "1");
      assertStringIncludes(
        (await page.locator("#status").textContent())!,
        "Most similar to the spot in b: <i>",
      );
      assertEquals(
        await page.locator(".marker:not([hidden])").getAttribute("style"),
        "left: 50%; top: 50%; width: 50%; height: 50%;",
      );
      await spot.click();
      assertEquals([await page.locator(".marker:not([hidden])").count(), trouble.errors], [0, []]);
    } finally {
      await browser.close();
    }
  }));
