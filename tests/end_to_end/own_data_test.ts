import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { encodePalettePng, readPalettePng } from "../../src/data/images/palette_png.ts";
import type { BrainData } from "../../src/pipeline/brain_data.ts";
import {
  datasetFolder,
  embeddedModels,
  subjectOf,
  syntheticDataset,
  vocOf,
} from "../../src/synthetic/dataset.ts";
import { type Asked, openRunData, unnamedRegions } from "../../tasks/shared/open_data.ts";
import { copyFolder } from "../support/copy_folder.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];
const NODE_COLUMNS = "image,model,layer,row,col,red,green,blue";
const SMALL = ["--quick", "--limit", "3", "--landmarks", "100"];

async function run(task: string, root: string, name: string, args: string[]) {
  const path = new URL(`../../tasks/${task}.ts`, import.meta.url).pathname;
  const places = ["--cache", `${root}/${name}-cache`, "--out", `${root}/${name}`];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, path, ...SMALL, ...places, ...args],
  }).output();
  const errors = new TextDecoder().decode(stderr);
  assertEquals(code, 0, errors);
  const { experiments, inputs } = JSON.parse(await Deno.readTextFile(`${root}/${name}/results.json`));
  const { metrics, claims } = experiments[task];
  return { errors, inputs, found: { metrics, claims } };
}

/** What channel alignment, and all that brain-score computes, is computed from; images by their names. */
async function brainOf(asked: Asked, cache: string) {
  const data = await openRunData(asked, { cache, limit: 3, quick: true, timings: {} });
  const { training, test, ...known }: BrainData = await data.readBrain(`${cache}/align`, () => {});
  data.close();
  const named = (paths: string[]) => paths.map((path) => path.replace(/^.*\//, ""));
  return {
    ...known,
    training: { ...training, images: named(training.images) },
    test: { ...test, images: named(test.images) },
  };
}

/** Makes figure of ground, and ground of figure. */
async function invert(path: string): Promise<void> {
  const mask = await readPalettePng(path);
  await Deno.writeFile(
    path,
    encodePalettePng({ ...mask, data: mask.data.map((label) => Number(label === 0)) }),
  );
}

Deno.test("folders and models given by path give the numbers of the built-in ones, which are the same data", () =>
  inTemporaryFolder(async (root) => {
    // Two who want it at once: on a new machine one of them writes it, and the other waits.
    const cache = `${root}/embedded-cache`,
      [dataset] = await Promise.all([1, 2].map(() => syntheticDataset(120)));
    await copyFolder(datasetFolder(120), datasetFolder(120, cache));
    await copyFolder(subjectOf(dataset, cache), `${root}/anyone`);
    await copyFolder(vocOf(dataset, cache), `${root}/photographs`);
    const builtIn = embeddedModels().slice(1); // two tell models apart as three would
    for (const model of builtIn) {
      for (const path of [model, model.replace(".onnx", ".preprocessor.json")]) {
        await Deno.copyFile(path, `${root}/${path.replace(/^.*\//, "")}`);
      }
    }
    const folders = { algonauts: `${root}/anyone`, voc: `${root}/photographs` };
    const models = builtIn.map((path) => `${root}/${path.replace(/^.*\//, "")}`);
    const args = [
      ...Object.entries(folders).flatMap(([kind, path]) => ["--data", `${kind}:${path}`]),
      ...models.flatMap((path) => ["--model", path]),
    ];
    const tables = ["--tables", "csv"];
    const [embedded, own] = await Promise.all([
      run("colors", root, "embedded", [...builtIn.flatMap((path) => ["--model", path]), ...tables]),
      run("colors", root, "own", [...args, ...tables]),
    ]);
    assertEquals(own.found, embedded.found);
    assertEquals([embedded.inputs.data, own.inputs.data], [
      "embedded",
      "algonauts anyone, voc photographs",
    ]);
    assertStringIncludes(own.errors, "120 training and 24 test images");
    assertEquals(own.errors.match(/found {5}file, 12 layers, patches of 8 × 8 pixels/g)?.length, 2);
    assertStringIncludes(
      own.errors,
      "used for  graph and segmentation of 3, agreement of models on 3 others",
    );
    const nodes = await Deno.readTextFile(`${root}/own/tables/nodes.csv`);
    assertEquals(nodes, await Deno.readTextFile(`${root}/embedded/tables/nodes.csv`));
    const [header, ...lines] = nodes.trim().split("\n").map((line) => line.split(","));
    assertEquals(lines.length, 2 * 12 * 3 * 197, "models × layers × images × tokens");
    assertEquals(header.filter((name) => !/^eigenvector_\d+$/.test(name)).join(), NODE_COLUMNS);
    assertEquals(header.length, 28);
    assertEquals(
      await brainOf({ folders, models }, `${root}/own-cache`),
      await brainOf({ folders: {}, models: builtIn }, `${root}/embedded-cache`),
    );

    const segmented = await run("segmentation", root, "own", args);
    for await (const { name } of Deno.readDir(`${root}/photographs/SegmentationClass`)) {
      await invert(`${root}/photographs/SegmentationClass/${name}`);
    }
    const inverted = await run("segmentation", root, "own", args);
    assertNotEquals(inverted.found.metrics, segmented.found.metrics, "old results for other masks");
  }));

Deno.test("unnamedRegions() are those with voxels that are no part of a region of the tables", () => {
  const rois = ["V1", "V1v", "V3d", "hV4", "FFA-1", "VWFA-2", "RSC", "mTL-words", "early"].map((name) =>
    [name, { length: name === "mTL-words" ? 0 : 3 }] as const
  );
  assertEquals(unnamedRegions(new Map(rois)), ["RSC", "early"]);
});
