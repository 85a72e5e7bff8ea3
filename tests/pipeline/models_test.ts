import { assertEquals, assertRejects } from "@std/assert";
import { extractFeatures } from "../../src/data/features/extract.ts";
import { previewCrop } from "../../src/data/images/preprocess.ts";
import { featureStages } from "../../src/pipeline/pipeline.ts";
import { clearSkipped, skippedLines } from "../../src/data/files/skipped.ts";
import { openRunModels } from "../../src/pipeline/models.ts";
import { embeddedModels } from "../../src/synthetic/dataset.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import type { Hook } from "../../src/data/onnx/head_roles.ts";

const EXPORTS = new URL("../golden/onnx_exports", import.meta.url).pathname;
/** Patches of 4 × 4 pixels; 16 × 16 pixels and no other, or any. */
const FIXED = `${EXPORTS}/hf_dinov2_ts17.onnx`, ANY_SIZE = `${EXPORTS}/hf_dinov2_any_size_ts17.onnx`;

/** A copy of a model with the preprocessing of a built-in one, changed. */
async function copyOf(
  dir: string,
  name: string,
  changes: Record<string, unknown>,
  model = ANY_SIZE,
): Promise<string> {
  const path = `${dir}/${name}.onnx`, [embedded] = embeddedModels();
  await Deno.copyFile(model, path);
  const config = JSON.parse(await Deno.readTextFile(embedded.replace(/\.onnx$/, ".preprocessor.json")));
  await Deno.writeTextFile(`${dir}/${name}.preprocessor.json`, JSON.stringify({ ...config, ...changes }));
  return path;
}

function size(side: number) {
  return { size: { shortest_edge: side }, crop_size: { height: side, width: side } };
}

Deno.test("openRunModels() gives all models the first one's view, and as many patches", () =>
  inTemporaryFolder(async (dir) => {
    const a = await copyOf(dir, "a", size(112)), b = await copyOf(dir, "b", { ...size(144), resample: 2 });
    const { models, view } = await openRunModels([a, b]);
    assertEquals([view.resize, view.crop, view.rescale, view.normalize], [
      { shortestEdge: 112 },
      { width: 112, height: 112 },
      null,
      null,
    ]);
    assertEquals(models.map(({ preprocessor: { resize, crop } }) => [resize, crop]), [
      [null, null], // sees the view as it is
      [null, null], // 144 pixels would be 36 patches of 4, not 28
    ]);
    assertEquals(models[1].preprocessor.filter, "bilinear");
    const [, small] = (await openRunModels([b, a])).models;
    assertEquals(small.preprocessor.resize, null); // 36 patches of 4: the view's own 144 pixels
    const [alone] = (await openRunModels([b])).models;
    assertEquals([alone.preprocessor.resize, alone.preprocessor.crop], [null, null]);
  }));

Deno.test("openRunModels() says how far patches go where they are no whole part of the image, and how far beside the first's", () =>
  inTemporaryFolder(async (dir) => {
    const part = await copyOf(dir, "part", size(18)), full = await copyOf(dir, "full", size(16));
    clearSkipped();
    assertEquals((await openRunModels([part])).patch, { width: 4, height: 4 });
    const cover = "patches of part cover 16 × 16 of the 18 × 18 pixels that it takes";
    assertEquals(skippedLines(), [`${cover}: pictures and masks end there`]);
    clearSkipped();
    await openRunModels([full]);
    assertEquals(skippedLines(), []);
    await openRunModels([full, part]); // 18 pixels give 4 patches, too
    assertEquals(skippedLines(), [`${cover}: they lie up to 44 % of a patch beside those of full`]);
    clearSkipped();
  }));

Deno.test("openRunModels() resizes for smaller patches, and an export for any size has features at both sizes", () =>
  inTemporaryFolder(async (dir) => {
    const own = await copyOf(dir, "own", size(16));
    const { models: [first, second], view } = await openRunModels(["dino_tiny", own]);
    assertEquals(second.preprocessor.resize, { width: 56, height: 56 });
    const data = new Uint8Array(3 * 120 * 130).map((_, i) => i * 7919 % 251);
    const image = { width: 130, height: 120, data };
    const extract = (model: typeof first, outDir: string, seen = previewCrop(image, view)) =>
      extractFeatures({
        model: model.path,
        preprocessor: model.preprocessor,
        outDir,
        dtype: "float32",
        images: [{ name: "a", load: () => Promise.resolve(seen) }],
      });
    assertEquals((await extract(first, `${dir}/1`)).grid, { rows: 14, cols: 14 });
    assertEquals((await extract(second, `${dir}/2`)).grid, { rows: 14, cols: 14 });
    const { models: [alone], view: ownView } = await openRunModels([own]);
    assertEquals((await extract(alone, `${dir}/3`, previewCrop(image, ownView))).grid, { rows: 4, cols: 4 });
  }));

Deno.test("openRunModels() refuses an export of one size that would see other patches, and says what to export", () =>
  inTemporaryFolder(async (dir) => {
    const [first, second] = embeddedModels(), own = await copyOf(dir, "own", size(16), FIXED);
    await assertRejects(
      () => openRunModels([first, own]),
      Error,
      `${own} takes images of 16 × 16 pixels only, but sees the patches of ${first} at 56 × 56: export it again for ` +
        "that size, or for any: ",
    );
    assertEquals((await openRunModels([own])).models.length, 1);
    const { models, isOneGrid } = await openRunModels([first, own], {}, true); // each sees its own patches
    assertEquals([models.length, isOneGrid], [2, false]);
    assertEquals((await openRunModels([first, second])).isOneGrid, true);
  }));

Deno.test("openRunModels() refuses an export whose positions are those of one size, tried or as recorded", () =>
  inTemporaryFolder(async (dir) => {
    const [first] = embeddedModels();
    const own = await copyOf(dir, "own", size(16), `${EXPORTS}/timm_dinov3_any_size_dynamo20.onnx`);
    const refused =
      `${own} is right at its own 16 × 16 pixels only, for its positions count on beyond those of ` +
      `16 × 16 pixels, but sees the patches of ${first} at 56 × 56: export it again for that size, or for any: `;
    await assertRejects(() => openRunModels([first, own]), Error, refused);
    const record = { name: "own", source: "a", commit: null, license: "mit", registers: 2, files: {} };
    const ownSizeOnly = "its positions count on beyond those of 16 × 16 pixels";
    await Deno.writeTextFile(`${dir}/own.model.json`, JSON.stringify({ ...record, ownSizeOnly }));
    await assertRejects(() => openRunModels([first, own]), Error, refused);
    assertEquals((await openRunModels([own])).models.length, 1);
  }));

Deno.test("openRunModels() refuses a second model of the same name, as each is called by its file", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.mkdir(`${dir}/one`);
    await Deno.mkdir(`${dir}/other`);
    const one = await copyOf(`${dir}/one`, "model", size(112));
    const other = await copyOf(`${dir}/other`, "model", size(112));
    await assertRejects(
      () => openRunModels([one, "clip_tiny", other]),
      RangeError,
      `Two models are called model, ${one} and ${other}: rename one file`,
    );
    await assertRejects(
      () => openRunModels(["clip_tiny", "clip_tiny"]),
      RangeError,
      "The model clip_tiny is given twice: give it once.",
    );
  }));

Deno.test("openRunModels() tells of each model what it is and sees", () =>
  inTemporaryFolder(async (dir) => {
    const own = await copyOf(dir, "own", size(16)), added = await copyOf(dir, "b", size(16));
    const record = { name: "b", source: "org/b", commit: null, license: "unknown", registers: 0, files: {} };
    await Deno.writeTextFile(`${dir}/b.model.json`, JSON.stringify(record));
    const { table } = await openRunModels(["mae_tiny", own, added]);
    const used = "features of 14 × 14 patches an image";
    assertEquals(table, [{
      kind: "model",
      path: "mae_tiny",
      found: "embedded, 12 layers, patches of 8 × 8 pixels",
      missing: "nothing",
      used,
    }, {
      kind: "model",
      path: own,
      found: "file, 2 layers, patches of 4 × 4 pixels",
      used,
      missing: "record (`./run models add` makes one, by which files are checked)",
    }, {
      kind: "model",
      path: "b",
      found: "added from org/b, 2 layers, patches of 4 × 4 pixels",
      missing: "license",
      used,
    }]);
  }));

Deno.test("openRunModels() gives every model the hook, and refuses one without it by its blocks", () =>
  inTemporaryFolder(async (dir) => {
    const own = await copyOf(dir, "own", size(16));
    assertEquals((await openRunModels(["mae_tiny", own], { hook: "k" })).models.map(({ hook }) => hook), [
      "k",
      "k",
    ]);
    assertEquals((await openRunModels([own])).models[0].hook, undefined);
    const inside = await copyOf(dir, "inside", size(16), `${EXPORTS}/../onnx/microsoft_attention.onnx`);
    await assertRejects(
      () => openRunModels([own, inside], { hook: "k" }),
      Error,
      `${inside} has 2 blocks, but no projection of keys was found in 2 of them: block 1, for fused_0 (Attention) keeps ` +
        "them inside; block 2, for fused_1 (Attention) keeps them inside: take another --hook.",
    );
    const model = { path: own, preprocessor: (await openRunModels([own])).models[0].preprocessor };
    const keys = await Promise.all([undefined, "k", "residual"].map(async (hook) => {
      const [{ input }] = await featureStages({
        models: [{ ...model, hook: hook as Hook | undefined }],
        images: [],
        imagesKey: "",
      });
      return JSON.stringify(input);
    }));
    assertEquals(new Set(keys).size, 3);
  }));

Deno.test("openRunModels() gives models of other patches as many shifts, and refuses a stride that is no part of a patch", () =>
  inTemporaryFolder(async (dir) => {
    const own = await copyOf(dir, "own", size(16));
    clearSkipped();
    await openRunModels([own], { stride: 4 });
    assertEquals(skippedLines(), ["--stride 4 changes nothing: patches are as large"]);
    clearSkipped();
    const { models, table } = await openRunModels(["mae_tiny", own], { stride: 4 });
    assertEquals(models.map(({ shifts }) => shifts), [2, 2]);
    assertEquals(table.map(({ used }) => used), Array(2).fill("features of 28 × 28 patches an image"));
    await assertRejects(
      () => openRunModels([own], { stride: 3 }),
      RangeError,
      `--stride 3 does not fit patches of 4 × 4 pixels (${own}): give 4 or 2 or 1.`,
    );
  }));

Deno.test("openRunModels() takes registers from the record of a model that was added", () =>
  inTemporaryFolder(async (dir) => {
    const path = await copyOf(dir, "a", {});
    const record = { name: "a", source: "a", commit: null, license: "none", registers: 4, files: {} };
    await Deno.writeTextFile(`${dir}/a.model.json`, JSON.stringify(record));
    assertEquals((await openRunModels([path])).models[0].registers, 4);
    await assertRejects(
      () => openRunModels([path, `${dir}/none.onnx`]),
      Error,
      `There is no model file ${dir}/none.onnx.`,
    );
  }));
