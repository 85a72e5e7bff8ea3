import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import sharp from "sharp";
import { imageFolder } from "../../src/data/datasets/algonauts_paths.ts";
import {
  writeAlgonautsNoiseCeiling,
  writeAlgonautsResponses,
  writeAlgonautsRois,
} from "../../src/data/datasets/write_algonauts.ts";
import { writeNpy } from "../../src/data/formats/npy.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { randomMatrix } from "../support/random.ts";

const TASK = new URL("../../tasks/real_brains.ts", import.meta.url).pathname;
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];

async function realBrains(...args: string[]): Promise<{ code: number; errors: string[] }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, TASK, ...args],
    env: { ALIGNEDCUT_REAL_DATA: "" },
    stderr: "piped",
    stdout: "null",
  });
  const { code, stderr } = await command.output();
  const lines = new TextDecoder().decode(stderr).split("\n");
  return { code, errors: lines.filter((line) => line && !line.includes("XDG_RUNTIME_DIR")) };
}

/** The layout of both data sets, smaller, with random content. */
async function writeData(root: string): Promise<void> {
  const pictures = 8, pairs = pictures * (pictures - 1) / 2, categories = 18;
  await Deno.mkdir(`${root}/kriegeskorte92/images`, { recursive: true });
  await Deno.mkdir(`${root}/object2vec81`, { recursive: true });
  for (let i = 0; i < pictures; i++) {
    const pixels = Uint8Array.from(randomMatrix(40, 120, i).data, (value) => 128 + 100 * value);
    await sharp(pixels, { raw: { width: 40, height: 40, channels: 3 } }).png()
      .toFile(`${root}/kriegeskorte92/images/00${i}.png`);
  }
  const brain = (key: number) => randomMatrix(1, pairs, key).data;
  await writeNpy(`${root}/kriegeskorte92/rdm_hIT.npy`, brain(1), [pairs]);
  await writeNpy(`${root}/kriegeskorte92/rdm_mIT.npy`, brain(2), [pairs]);
  const labels = {
    rois: ["EVC", "FFA"],
    categories: Array.from({ length: categories }, (_, i) => `object ${i}`),
  };
  await Deno.writeTextFile(`${root}/object2vec81/labels.json`, JSON.stringify(labels));
  for (const [name, cols] of [["betas", 12], ["alexnet", 4], ["word2vec", 3]] as const) {
    await writeNpy(`${root}/object2vec81/${name}.npy`, randomMatrix(categories, cols, cols).data, [
      categories,
      cols,
    ]);
  }
  await writeNpy(`${root}/object2vec81/roi_index.npy`, Uint8Array.from({ length: 12 }, (_, v) => 1 + v % 2), [
    12,
  ]);
}

/** Human IT of three subjects in two sessions whose mean is the averaged matrix. */
async function writeSubjects(root: string): Promise<void> {
  const pairs = 28, rows = Array.from({ length: 6 }, (_, i) => randomMatrix(1, pairs, 20 + i).data);
  const mean = rows[0].map((_, pair) => rows.reduce((sum, row) => sum + row[pair] / 6, 0));
  await Deno.mkdir(`${root}/kriegeskorte92_more`);
  await writeNpy(`${root}/kriegeskorte92/rdm_hIT.npy`, mean, [pairs]);
  const all = Float32Array.from(rows.flatMap((row) => [...row]));
  await writeNpy(`${root}/kriegeskorte92_more/rdm_hIT_subjects_sessions.npy`, all, [3, 2, pairs]);
}

/** One session of six neurons, with noise ceilings and three repeats of each picture. */
async function writeNeurons(root: string): Promise<void> {
  const dir = `${root}/v4_macaque/algonauts/session`, pictures = 20;
  for (const [split, count, first] of [["training", 12, 1], ["test", 8, 13]] as const) {
    await Deno.mkdir(imageFolder(dir, split), { recursive: true });
    for (let i = 0; i < count; i++) {
      const pixels = Uint8Array.from(
        randomMatrix(40, 120, 50 + first + i).data,
        (value) => 128 + 100 * value,
      );
      const number = String(first + i).padStart(4, "0");
      await sharp(pixels, { raw: { width: 40, height: 40, channels: 3 } }).jpeg()
        .toFile(`${imageFolder(dir, split)}/${split}-${number}_image${number}.jpg`);
    }
    for (const hemisphere of ["lh", "rh"] as const) {
      const { data } = randomMatrix(count, 3, first + hemisphere.length);
      await writeAlgonautsResponses(dir, split, { hemisphere, data, rows: count });
    }
  }
  await writeAlgonautsRois(dir, { lh: ["hV4", "hV4", "hV4"], rh: ["hV4", "hV4", "hV4"] });
  for (const hemisphere of ["lh", "rh"] as const) {
    await writeAlgonautsNoiseCeiling(dir, hemisphere, Float32Array.of(0.5, 0.6, 0.7));
  }
  await Deno.mkdir(`${root}/v4_macaque/responses_raw`);
  const raw = randomMatrix(6, pictures * 3, 7).data;
  await writeNpy(`${root}/v4_macaque/responses_raw/session.npy`, raw, [6, pictures, 3]);
}

Deno.test("real-brains says one sentence for bad options and data, and exits with 1", async () => {
  await inTemporaryFolder(async (root) => {
    const voxels = `${root}/voxels`;
    await Deno.mkdir(`${voxels}/object2vec81`, { recursive: true });
    await Deno.mkdir(`${voxels}/v4_macaque`);
    const cases: [string[], string][] = [
      [
        ["--data", voxels, "--model", "mae_tiny"],
        `--model needs kriegeskorte92 or v4_macaque/algonauts in ${voxels}, which has only voxels: leave it out.`,
      ],
      [[], "There is no data folder: give --data DIR"],
      [["--data", root], `The folder ${root} holds neither object2vec81 nor kriegeskorte92`],
      [["--data", "README.md"], "--data is README.md, a file: give the folder that the data folders are in."],
      [["--data", root, "--repeats", "0"], '--repeats is "0": give a whole number from 1 to 100.'],
      [["--datta", root], "There is no option --datta: did you mean --data?"],
      [["--data", root, "--models", root, "--model", "mae_tiny"], "--models and --model are both given"],
      [["--data", root, "--extract", "cuda"], '--extract is "cuda": give cpu, webgpu or auto.'],
    ];
    for (const [args, message] of cases) {
      const { code, errors } = await realBrains("--out", `${root}/out`, ...args);
      assertEquals(code, 1);
      assertStringIncludes(errors.at(-1)!, message);
      assert(!errors.some((line) => /^\s+at /.test(line)), errors.join("\n"));
    }
  });
});

Deno.test("real-brains writes its page and numbers, the same twice, beside those of other experiments", async () => {
  await inTemporaryFolder(async (root) => {
    await writeData(root);
    const models = `${root}/models`;
    await Deno.mkdir(models);
    for (const file of ["mae_tiny.onnx", "mae_tiny.preprocessor.json"]) {
      await Deno.copyFile(new URL(`../../fixtures/models/${file}`, import.meta.url), `${models}/${file}`);
    }
    const run = async () => {
      const args = ["--data", root, "--models", models, "--out", `${root}/out`, "--cache", `${root}/cache`];
      const { code, errors } = await realBrains(...args, "--resamples", "20", "--repeats", "1");
      assertEquals(code, 0, errors.join("\n"));
      assert(errors.some((line) => line.startsWith("--models DIR is --model FILE now")), errors.join("\n"));
      return JSON.parse(await Deno.readTextFile(`${root}/out/results.json`));
    };
    const first = await run();
    const metrics = first.experiments["real-brains"].metrics;
    for (const name of ["rsa.hIT.mIT", "rsa.mIT.mae_tiny.L12", "rsa.hIT.mae_tiny.L1.tokens.kendall.low"]) {
      assert(Number.isFinite(metrics[name]), name);
    }
    for (const encoder of ["ridge", "ridge_voxel_lambda", "encoder"]) {
      assert(Number.isFinite(metrics[`real.object2vec81.${encoder}.FFA`]), encoder);
    }
    const page = await Deno.readTextFile(`${root}/out/real-brains.html`);
    for (const part of ["Human IT", "Monkey IT", "Real voxels", "mae_tiny L12", "EVC · ridge, one λ"]) {
      assertStringIncludes(page, part);
    }
    assertStringIncludes(page, '<a class="home" href="index.html">');
    const index = await Deno.readTextFile(`${root}/out/index.html`);
    assertStringIncludes(index, '<h3><a href="real-brains.html">');
    assertStringIncludes(index, "What do the pages show of these data: measured cortex?");

    first.experiments["brain-score"] = { metrics: { "r.V1.ridge": 0.5 }, claims: [] };
    await Deno.writeTextFile(`${root}/out/results.json`, JSON.stringify(first));
    await Deno.remove(`${root}/object2vec81`, { recursive: true });
    const again = (await run()).experiments;
    const ofPictures = Object.entries(metrics).filter(([name]) => name.startsWith("rsa."));
    assertEquals(again["real-brains"].metrics, Object.fromEntries(ofPictures));
    assertEquals(again["brain-score"], first.experiments["brain-score"]);
    const shorter = await Deno.readTextFile(`${root}/out/real-brains.html`);
    assertStringIncludes(shorter, "Not measured: the data folder has no object2vec81.");
  });
});

Deno.test("real-brains takes --model: IT with its noise ceiling, V4, the class token, and says what is real", async () => {
  await inTemporaryFolder(async (root) => {
    await writeData(root);
    await Deno.remove(`${root}/object2vec81`, { recursive: true });
    await writeSubjects(root);
    await writeNeurons(root);
    const args = ["--data", root, "--model", "mae_tiny", "--out", `${root}/out`, "--cache", `${root}/cache`];
    const { code, errors } = await realBrains(...args, "--resamples", "10");
    assertEquals(code, 0, errors.join("\n"));
    const { experiments } = JSON.parse(await Deno.readTextFile(`${root}/out/results.json`));
    const { metrics } = experiments["real-brains"];
    for (
      const name of [
        "rsa.hIT.mae_tiny.L3.class",
        "rsa.hIT.subjects.mae_tiny.L12",
        "rsa.hIT.ceiling.low",
        "rsa.hIT.ceiling_of_ranks.high.kendall.high",
        "rsa.V4.session.mae_tiny.L12.low",
        "rsa.V4.session.ceiling",
        "r.V4.session.mae_tiny.L1",
        "normalized.V4.session.mae_tiny.L1",
      ]
    ) assert(Number.isFinite(metrics[name]), name);
    assert(metrics["rsa.hIT.ceiling.low"] < metrics["rsa.hIT.ceiling.high"]);
    const page = await Deno.readTextFile(`${root}/out/real-brains.html`);
    for (
      const part of [
        "8 pictures with human fMRI and monkey recordings, photographs and neurons of macaque V4 in 1 session (real); " +
        "mae_tiny, trained on rendered scenes (synthetic).",
        "All brains, by layer",
        "Macaque V4, session session",
        "Noise ceiling of 3 subjects",
        "r / √ceiling",
      ]
    ) assertStringIncludes(page, part);

    const wrong = Float32Array.from({ length: 28 }, (_, i) => i);
    await writeNpy(`${root}/kriegeskorte92/rdm_hIT.npy`, wrong, [28]);
    const refused = await realBrains(...args);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.errors.at(-1)!, "they are of other pictures or in another order");
  });
});
