import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { meanFeatures, patchFeatures, savePng } from "../../../mod.ts";
import { addModel } from "../../../src/data/models/add_model.ts";
import { EMBEDDED_FOLDER, openKnownModel } from "../../../src/data/models/known_models.ts";
import { poolFeatures } from "../../../src/data/features/pooled_features.ts";
import { featureStages } from "../../../src/pipeline/pipeline.ts";
import { openRunModels } from "../../../src/pipeline/models.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { parsePreprocessor } from "../../../src/data/images/preprocessor.ts";

const EXPORTS = new URL("../../golden/onnx_exports", import.meta.url).pathname;
const REPRODUCE = new URL("../../../tasks/reproduce.ts", import.meta.url).pathname;
/** 21 tokens: a class token, 4 registers, 4 × 4 patches. */
const MODEL = `${EXPORTS}/timm_layer_scale_registers_ts17.onnx`;
const config = { size: 16, resample: 3, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

/** Adds the model as `own`, and writes a photograph. */
function withAdded(
  registers: number | undefined,
  body: (given: { folder: string; path: string; photograph: string; dir: string }) => Promise<void>,
): Promise<void> {
  return inTemporaryFolder(async (dir) => {
    const folder = `${dir}/models`, preprocessor = `${dir}/preprocessor_config.json`;
    await Deno.writeTextFile(preprocessor, JSON.stringify(config));
    const hub = { endpoint: "http://127.0.0.1:1", cache: `${dir}/hub`, offline: true };
    const { path } = await addModel({ source: MODEL, folder, hub, name: "own", preprocessor, registers });
    const photograph = `${dir}/photographs/a.png`;
    const data = new Uint8Array(768).map((_, i) => i * 7919 % 251);
    await savePng(photograph, { width: 16, height: 16, data });
    await body({ folder, path, photograph, dir });
  });
}

/** What each way to a model's features says of one that it cannot take. */
async function sentences(path: string, photograph: string): Promise<string[]> {
  const ways = [
    () => openKnownModel(path),
    () => openRunModels([path]),
    () => patchFeatures(path, [photograph]),
    () => meanFeatures([path], [photograph]),
  ];
  return await Promise.all(
    ways.map(async (way) => (await assertRejects(way as () => Promise<unknown>, Error)).message),
  );
}

async function reproduce(...args: string[]): Promise<{ code: number; errors: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", REPRODUCE, ...args],
  }).output();
  return { code, errors: new TextDecoder().decode(stderr) };
}

Deno.test("openKnownModel() finds built-in models and added ones by name, and any by path", () =>
  withAdded(4, async ({ folder, path }) => {
    const { preprocessor, ...embedded } = await openKnownModel("mae_tiny", folder);
    assertEquals(embedded, { path: `${EMBEDDED_FOLDER}/mae_tiny.onnx`, record: null });
    assertEquals(preprocessor.crop, { width: 112, height: 112 });
    const added = await openKnownModel("own", folder);
    assertEquals([added.path, added.registers, added.record?.name], [path, 4, "own"]);
    assertEquals(await openKnownModel(path), added);
    await assertRejects(
      () => openKnownModel("vit", folder),
      Error,
      'There is no model "vit": give clip_tiny, dino_tiny, mae_tiny, own, what `./run models add` adds, or an ' +
        "ONNX file.",
    );
    const shouting = path.replace(/onnx$/, "ONNX");
    await Deno.copyFile(path, shouting);
    await assertRejects(
      () => openKnownModel(shouting),
      Error,
      `${shouting} does not end in .onnx as it is written here: rename it, in small letters.`,
    );
  }));

Deno.test("every way to a model refuses a preprocessing that is not what was recorded", () =>
  withAdded(undefined, async ({ path, photograph, dir }) => {
    const preprocessing = path.replace(".onnx", ".preprocessor.json");
    assertEquals((await patchFeatures(path, [photograph])).grid, { rows: 4, cols: 4 });
    await Deno.remove(preprocessing);
    await Deno.writeTextFile(preprocessing, JSON.stringify({ ...config, image_mean: [0.4, 0.5, 0.5] }));
    for (const sentence of await sentences(path, photograph)) {
      assertStringIncludes(sentence, `${preprocessing} is not what was added from `);
      assertStringIncludes(sentence, "if the change is wanted, remove the model's folder and add it again.");
    }
    const places = ["--out", `${dir}/out`, "--cache", `${dir}/cache`, "--images", `${dir}/photographs`];
    const { code, errors } = await reproduce(...places, "--model", path);
    assertEquals(code, 1);
    assertStringIncludes(errors, `${preprocessing} is not what was added from `);
    await Deno.remove(path.replace(".onnx", ".model.json")); // without a record it is a file like any
    assertEquals((await openKnownModel(path)).preprocessor.normalize?.mean, [0.4, 0.5, 0.5]);
  }));

Deno.test("every way to a model takes the registers of its record", () =>
  withAdded(3, async ({ path, photograph, dir }) => {
    const message =
      `${path} has 21 tokens an image, expected 4 × 4 patches, 3 registers and at most one class token`;
    assertEquals((await openRunModels([path])).models[0].registers, 3);
    for (const way of [() => patchFeatures(path, [photograph]), () => meanFeatures([path], [photograph])]) {
      await assertRejects(way as () => Promise<unknown>, Error, message);
    }
    const places = ["--out", `${dir}/out`, "--cache", `${dir}/cache`, "--images", `${dir}/photographs`];
    assertStringIncludes((await reproduce(...places, "--model", path)).errors, message);
  }));

Deno.test("reproduce takes one model by its name, and names those that there are", () =>
  inTemporaryFolder(async (dir) => {
    const says = async (model: string) => {
      const places = ["--out", `${dir}/out`, "--cache", `${dir}/cache`, "--images", `${dir}/none`];
      return (await reproduce(...places, "--model", model)).errors;
    };
    assertStringIncludes(
      await says("mae_tinny"),
      'There is no model "mae_tinny": give clip_tiny, dino_tiny, ',
    );
    assertStringIncludes(await says("mae_tiny"), `There is no folder ${dir}/none`); // looked for after the model
  }));

Deno.test("nothing is kept of a model whose weights beside it have changed", () =>
  inTemporaryFolder(async (dir) => {
    const name = "external_weights_clip", path = `${dir}/${name}.onnx`;
    for (const file of [`${name}.onnx`, `${name}.onnx_data`]) {
      await Deno.copyFile(`${EXPORTS}/${file}`, `${dir}/${file}`);
    }
    const preprocessor = parsePreprocessor(config, "a.json");
    const data = new Uint8Array(768).map((_, i) => i * 7919 % 251);
    const images = [{ name: "a", load: () => Promise.resolve({ width: 16, height: 16, data }) }];
    const found = async () => {
      const [{ input }] = await featureStages({ models: [{ path, preprocessor }], images, imagesKey: "" });
      const { pooled } = await poolFeatures({
        model: path,
        preprocessor,
        images,
        tokensPerImage: 0,
        seed: 0,
        cacheDir: dir,
        imagesKey: "",
      });
      return [input.model, ...pooled.data];
    };
    const before = await found(), weights = await Deno.readFile(`${path}_data`);
    assertEquals(await found(), before);
    const values = new Float32Array(weights.buffer, 0, Math.floor(weights.length / 4));
    values.forEach((value, i) => values[i] = value / 2);
    await Deno.writeFile(`${path}_data`, weights);
    const after = await found();
    assertEquals(after.length, before.length);
    for (const i of [0, 1]) assertNotEquals(after[i], before[i]);
  }));
