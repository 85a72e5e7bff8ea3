import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { addModel } from "../../../src/data/models/add_model.ts";
import { extractFeatures } from "../../../src/data/features/extract.ts";
import { hubFromEnvironment } from "../../../src/data/hub/hub.ts";
import { listModels, readModelRecord } from "../../../src/data/models/model_record.ts";
import { PAPER_MODELS } from "../../../src/data/models/model_registry.ts";
import { COMMIT, type HubServer, sha256, withHubServer } from "../../support/hub_server.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { parsePreprocessor, readPreprocessor } from "../../../src/data/images/preprocessor.ts";
import type { AddModelOptions } from "../../../src/data/models/model_source.ts";

const EXPORTS = new URL("../../golden/onnx_exports", import.meta.url).pathname;
const CLIP = "external_weights_clip", VIT = "timm_layer_scale_registers_ts17";
const config = {
  size: { height: 16, width: 16 },
  resample: 3,
  do_center_crop: false,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
};
const CONFIG = new TextEncoder().encode(JSON.stringify(config));
const image = {
  name: "a",
  load: () =>
    Promise.resolve({ width: 20, height: 16, data: new Uint8Array(960).map((_, i) => i * 7 % 251) }),
};

/** Runs `body` with a repository that holds a model with weights beside it. */
function withRepository(
  body: (options: AddModelOptions, server: HubServer, dir: string) => Promise<void>,
): Promise<void> {
  return withHubServer((server) =>
    inTemporaryFolder(async (dir) => {
      server.files.set("preprocessor_config.json", CONFIG);
      server.files.set("onnx/vision_model.onnx", await Deno.readFile(`${EXPORTS}/${CLIP}.onnx`));
      server.files.set(`onnx/${CLIP}.onnx_data`, await Deno.readFile(`${EXPORTS}/${CLIP}.onnx_data`));
      const hub = { endpoint: server.endpoint, cache: `${dir}/hub`, offline: false, pause: async () => {} };
      await body({ source: "org/tiny", folder: `${dir}/models`, hub }, server, dir);
    })
  );
}

async function failure(options: AddModelOptions): Promise<string> {
  return (await assertRejects(() => addModel(options), Error)).message;
}

Deno.test("addModel() takes a model of the hub with the weights beside it, and its features can be extracted", () =>
  withRepository(async (options, server, dir) => {
    const { path, record, layers } = await addModel(options);
    assertEquals(path, `${dir}/models/tiny/tiny.onnx`);
    assertEquals(layers, 2);
    assertEquals(record, {
      name: "tiny",
      source: "org/tiny (main)",
      commit: COMMIT,
      license: "unknown",
      registers: null,
      attention: "2 Softmax: 2 blocks",
      files: {
        "tiny.onnx": sha256(server.files.get("onnx/vision_model.onnx")!),
        [`${CLIP}.onnx_data`]: sha256(server.files.get(`onnx/${CLIP}.onnx_data`)!),
        "tiny.preprocessor.json": sha256(CONFIG),
      },
    });
    assertEquals(await readModelRecord(path), record);
    const preprocessor = await readPreprocessor(`${dir}/models/tiny/tiny.preprocessor.json`);
    const features = await extractFeatures({
      model: path,
      preprocessor,
      images: [image],
      outDir: `${dir}/out`,
      dtype: "float32",
    });
    assertEquals([features.layers.length, features.tokens, features.width], [2, 17, 12]);
  }));

Deno.test("addModel() reads processor_config.json where the image processor is inside, as transformers 5 does", () =>
  withRepository(async (options, server, dir) => {
    const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    server.files.set("processor_config.json", text({ processor_class: "CLIPProcessor" }));
    const before = await addModel(options);
    assertEquals(before.record.files["tiny.preprocessor.json"], sha256(CONFIG));
    const nested = text({ image_processor: { ...config, resample: 2 }, processor_class: "CLIPProcessor" });
    server.files.set("processor_config.json", nested);
    server.files.delete("preprocessor_config.json");
    const { record, preprocessor } = await addModel({ ...options, name: "other" });
    assertEquals(record.files["other.preprocessor.json"], sha256(nested));
    assertEquals(preprocessor, { ...before.preprocessor, filter: "bilinear" });
    assertEquals(await readPreprocessor(`${dir}/models/other/other.preprocessor.json`), preprocessor);
  }));

Deno.test("addModel() finds the class that a preprocessor file does not name in config.json", () =>
  withRepository(async (options, server, dir) => {
    const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
    server.files.set("preprocessor_config.json", text({ size: 16, image_mean: [0.4, 0.5, 0.6] }));
    assertStringIncludes(await failure(options), '"resample" is missing');
    server.files.set("config.json", text({ model_type: "vit" }));
    const { path, preprocessor, record } = await addModel({ ...options, name: "other" });
    assertEquals(preprocessor, {
      resize: { width: 16, height: 16 },
      filter: "bilinear",
      crop: null,
      library: "torchvision",
      rescale: 1 / 255,
      normalize: { mean: [0.4, 0.5, 0.6], std: [0.5, 0.5, 0.5] },
    });
    const written = `${dir}/models/other/other.preprocessor.json`;
    assertEquals(await readPreprocessor(written), preprocessor);
    assertEquals(record.files["other.preprocessor.json"], sha256(await Deno.readFile(written)));
    assertEquals(await readModelRecord(path), record);
    // The same again is the same model.
    await addModel({ ...options, name: "other" });
  }));

Deno.test("addModel() takes the license from the model's card on the hub, also offline", async (t) => {
  const cases: [string, string, string][] = [
    ["a word", "---\ntags:\n- a\nlicense: apache-2.0 # theirs\n---\n# Card", "apache-2.0"],
    ["lines of Windows, quotes", '---\r\nlicense: "mit"\r\n---\r\n', "mit"],
    ["a list", "---\nlicense:\n- cc-by-nc-4.0\n- mit\nlicense_link: a\n---\n", "cc-by-nc-4.0"],
    ["a list in one line", "---\nlicense: [bsd-3-clause, mit]\n---\n", "bsd-3-clause"],
    ["another", "---\nlicense: other\nlicense_name: dinov3-license\n---\n", "dinov3-license"],
    ["another without a name", "---\nlicense: other\n---\n", "other"],
    ["none", "---\nbase_license: mit\n---\nlicense: mit", "unknown"],
    ["no facts", "# Card\nlicense: mit\n---\n", "unknown"],
    ["facts without end", "---\nlicense: mit\n", "unknown"],
    ["what a terminal would obey", "---\nlicense: mit\x1b[2J\n---\n", "unknown"],
    ["an empty card", "", "unknown"],
  ];
  for (const [what, card, license] of cases) {
    await t.step(what, () =>
      withRepository(async (options, server) => {
        server.files.set("README.md", new TextEncoder().encode(card));
        assertEquals((await addModel(options)).record.license, license);
        const hub = { ...options.hub, offline: true };
        assertEquals((await addModel({ ...options, hub })).record.license, license);
        const known = await addModel({ ...options, name: "clip_vit_b16" });
        assertEquals(known.record.license, license === "unknown" ? "MIT" : license);
      }));
  }
});

Deno.test("addModel() gives the same model offline, and says what the cache has not", () =>
  withRepository(async (options, _, dir) => {
    const online = await addModel(options);
    const hub = { ...options.hub, offline: true, endpoint: "http://127.0.0.1:1" };
    assertEquals(await addModel({ ...options, hub }), online);
    assertEquals(
      await failure({ ...options, source: "org/other", hub }),
      "org/other (main) has no onnx/vision_model.onnx, onnx/model.onnx, vision_model.onnx, model.onnx in the cache " +
        `${dir}/hub, and HF_HUB_OFFLINE is set: name the file with --file.`,
    );
  }));

Deno.test("addModel() and every use refuse a model that is not what was recorded", () =>
  withRepository(async (options, server, dir) => {
    const { path, record } = await addModel(options);
    const changed = server.files.get(`onnx/${CLIP}.onnx_data`)!.slice();
    changed[500] ^= 1;
    server.files.set(`onnx/${CLIP}.onnx_data`, changed);
    const sentence = `${dir}/models/tiny/${CLIP}.onnx_data is not what was added from org/tiny (main) ` +
      `(SHA-256 ${sha256(changed)}, recorded ${record.files[`${CLIP}.onnx_data`]}): ` +
      "if the change is wanted, remove the model's folder and add it again.";
    assertEquals(await failure(options), sentence);
    assertEquals((await listModels(options.folder))[0].wrong, []);

    await Deno.remove(`${dir}/models/tiny/${CLIP}.onnx_data`);
    await Deno.writeFile(`${dir}/models/tiny/${CLIP}.onnx_data`, changed);
    assertEquals((await listModels(options.folder))[0].wrong, [`${CLIP}.onnx_data changed`]);
    const preprocessor = await readPreprocessor(`${dir}/models/tiny/tiny.preprocessor.json`);
    const run = {
      model: path,
      preprocessor,
      images: [image],
      outDir: `${dir}/out`,
      dtype: "float32" as const,
    };
    assertEquals((await assertRejects(() => extractFeatures(run), Error)).message, sentence);
  }));

Deno.test("addModel() takes an address, of a page of the hub or of any server", () =>
  withRepository(async (options, server, dir) => {
    const page = await addModel({
      ...options,
      source: `${server.endpoint}/org/tiny/blob/main/onnx/vision_model.onnx`,
    });
    assertEquals([page.record.name, page.record.commit], ["tiny", COMMIT]);
    server.files.set("a/My-Model.onnx", server.files.get("onnx/vision_model.onnx")!);
    server.files.set(`a/${CLIP}.onnx_data`, server.files.get(`onnx/${CLIP}.onnx_data`)!);
    const plain = (path: string) => {
      const bytes = server.files.get(path);
      const etag = bytes && `"${sha256(bytes)}"`;
      return bytes ? new Response(bytes, { headers: { etag: etag! } }) : new Response(null, { status: 404 });
    };
    server.fault = ({ path }) => plain(path.slice(1));
    const source = `${server.endpoint}/a/My-Model.onnx`;
    assertEquals(
      await failure({ ...options, source }),
      `${source} has no preprocessor_config.json: give one with --preprocessor FILE.`,
    );
    server.files.set("a/My-Model.preprocessor.json", CONFIG);
    const { record, path } = await addModel({ ...options, source });
    assertEquals([record.name, record.source, path], [
      "my_model",
      source,
      `${dir}/models/my_model/my_model.onnx`,
    ]);
    assertEquals((await listModels(options.folder)).map(({ wrong }) => wrong), [[], []]);
  }));

Deno.test("addModel() takes a file, and a paper's model by its name with the preprocessing that is known", () =>
  withRepository(async (options, _, dir) => {
    const source = `${EXPORTS}/${VIT}.onnx`;
    const { record, preprocessor } = await addModel({
      ...options,
      source,
      name: "mae_vit_b16",
      registers: 4,
    });
    assertEquals([record.license, record.registers], ["CC-BY-NC-4.0", 4]);
    assertEquals(preprocessor.resize, { shortestEdge: 256 });
    assertEquals(
      await readPreprocessor(`${dir}/models/mae_vit_b16/mae_vit_b16.preprocessor.json`),
      preprocessor,
    );
    assertEquals((await listModels(options.folder))[0].wrong, []);
  }));

Deno.test("addModel() says in one sentence what it cannot take, and adds nothing", async (t) => {
  const cases: [string, Partial<AddModelOptions>, string][] = [
    [
      "no such file in the repository",
      { file: "a.onnx" },
      "org/tiny (main) has no a.onnx: name the file with --file.",
    ],
    [
      "a file name above",
      { file: "../a.onnx" },
      'The file name "../a.onnx" leaves its folder: it is not taken.',
    ],
    [
      "the name of an embedded model",
      { name: "mae_tiny" },
      'The name "mae_tiny" is that of an embedded model: ',
    ],
    ["a name above", { name: "../a" }, 'The name "../a" is none for a folder'],
    ["another SHA-256", { sha256: "0".repeat(64) }, `expected ${"0".repeat(64)}: it is not taken.`],
    [
      "nothing known",
      { source: "vit" },
      '"vit" is not a model: give clip_vit_b16, dinov2_reg_vit_b14, mae_vit_b16, ',
    ],
    ["an absent file", { source: "./a/b.onnx" }, "There is no model ./a/b.onnx."],
    ["MAE by name", { source: "mae_vit_b16" }, "No ONNX export of mae_vit_b16 is known on the hub: "],
    [
      "random masking",
      { source: `${EXPORTS}/hf_mae_ts17.onnx` },
      "draws random numbers (RandomUniformLike, ",
    ],
    [
      "no preprocessing",
      { source: `${EXPORTS}/${VIT}.onnx` },
      "has no preprocessor_config.json: give one with --preprocessor FILE.",
    ],
    ["no model", { file: "preprocessor_config.json" }, "is not an ONNX model"],
  ];
  for (const [what, changed, sentence] of cases) {
    await t.step(what, () =>
      withRepository(async (options) => {
        const message = await failure({ ...options, ...changed });
        assertStringIncludes(message, sentence);
        assertEquals(message.includes("\n"), false);
        assertEquals(await listModels(options.folder), []);
      }));
  }
  await t.step("weights that are not there", () =>
    withRepository(async (options, server) => {
      server.files.delete(`onnx/${CLIP}.onnx_data`);
      assertEquals(
        await failure(options),
        `org/tiny (main) keeps weights in ${CLIP}.onnx_data, which is not there beside the model.`,
      );
    }));
});

Deno.test("readModelRecord() refuses a record that is damaged or leads elsewhere", () =>
  inTemporaryFolder(async (dir) => {
    const record = { name: "a", source: "b", license: "c", registers: null, commit: null };
    for (
      const [text, reason] of [
        ["{", "JSON"],
        ["{}", '"name" is missing, expected a text'],
        [JSON.stringify(record), '"files" is missing, expected SHA-256 by file'],
        [JSON.stringify({ ...record, files: { "../a": "0".repeat(64) } }), "leaves its folder"],
        [JSON.stringify({ ...record, files: { a: "0" } }), '"files.a" is "0", expected a SHA-256'],
      ]
    ) {
      await Deno.writeTextFile(`${dir}/a.model.json`, text);
      const { message } = await assertRejects(() => readModelRecord(`${dir}/a.onnx`), Error);
      assertStringIncludes(message, `The record ${dir}/a.model.json is damaged (`);
      assertStringIncludes(message, reason);
    }
  }));

Deno.test("PAPER_MODELS have preprocessing that is understood", () => {
  for (const { name, preprocessing } of PAPER_MODELS) {
    const { crop, normalize } = parsePreprocessor(preprocessing, name);
    assertEquals([crop, normalize?.mean.length], [{ width: 224, height: 224 }, 3]);
  }
});

Deno.test("addModel() counts attention nodes, and tries a graph for any size at two sizes", () =>
  inTemporaryFolder(async (dir) => {
    const hub = hubFromEnvironment((name) =>
      name === "HF_HUB_OFFLINE" ? "1" : name === "HOME" ? dir : undefined
    );
    const add = async (path: string, size: number) => {
      const sized = JSON.stringify({ ...config, size: { height: size, width: size } });
      await Deno.writeTextFile(`${dir}/config.json`, sized);
      return await addModel({
        source: path,
        folder: `${dir}/models`,
        hub,
        preprocessor: `${dir}/config.json`,
      });
    };
    const { record } = await add(`${EXPORTS}/timm_dinov3_any_size_dynamo20.onnx`, 16);
    assertEquals(record.ownSizeOnly, "its positions count on beyond those of 16 × 16 pixels");
    const any = await add(`${EXPORTS}/hf_dinov2_any_size_ts17.onnx`, 16);
    assertEquals(any.record.ownSizeOnly, null);
    assertEquals(await readModelRecord(any.path), any.record);
    const forms = new URL("../../golden/onnx_forms", import.meta.url).pathname;
    const counted = await add(`${forms}/recogniser.onnx`, 8);
    assertMatch(counted.record.attention!, /^3 Softmax: 2 blocks, 1 joins no residual stream: Softmax_\d+$/);
    assertEquals(counted.record.ownSizeOnly, undefined);
    await assertRejects(
      () => add(`${forms}/inside_if.onnx`, 8),
      Error,
      "2 attention nodes, 1 understood; not understood: ",
    );
  }));
