import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import sharp from "sharp";
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

Deno.test("real-brains says one sentence for bad options and data, and exits with 1", async () => {
  await inTemporaryFolder(async (root) => {
    const cases: [string[], string][] = [
      [[], "There is no data folder: give --data DIR"],
      [["--data", root], `The folder ${root} holds neither object2vec81 nor kriegeskorte92`],
      [["--data", root, "--repeats", "0"], '--repeats is "0": give a whole number from 1 to 100.'],
      [["--datta", root], "There is no option --datta: did you mean --data?"],
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
