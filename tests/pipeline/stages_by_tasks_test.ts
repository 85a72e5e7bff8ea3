import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { shardName } from "../../src/data/features/feature_shards.ts";
import { createFeatures } from "../../src/data/features/feature_store.ts";
import type { FeatureManifest } from "../../src/data/features/extract_parts.ts";
import { nearestRows } from "../../src/embed/spectral_map.ts";
import { affinityProducts, affinitySums } from "../../src/graph/landmark_affinity.ts";
import type { NodeSource } from "../../src/graph/node_source.ts";
import { fitNystrom } from "../../src/graph/nystrom.ts";
import { copyFeatures, evaluationImages } from "../../src/pipeline/evaluation.ts";
import { areFilesThere, lookAtNames, lookAtSizes } from "../../src/data/files/file_look.ts";
import type { PipelineOptions } from "../../src/pipeline/pipeline_options.ts";
import {
  findCandidates,
  fitGraph,
  propagateRange,
  solveGraph,
  sumBlocksOf,
} from "../../src/pipeline/solve_graph.ts";
import { makeColorBatches, makeColors, makeMap } from "../../src/pipeline/spectral_stages.ts";
import { filesUnder } from "../support/files_under.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { randomMatrix } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const IMAGES = 70, TOKENS = 5, WIDTH = 8;

/** Features of two layers of a model, each image's near those of its neighbours. */
async function writeFeatures(dir: string): Promise<FeatureManifest> {
  const layers: FeatureManifest["layers"] = [];
  for (const layer of [1, 2]) {
    const path = `${dir}/vit.L0${layer}`, rows = IMAGES * TOKENS;
    await Deno.mkdir(path, { recursive: true });
    const meta = { model: "vit", tokens: String(TOKENS) };
    const name = `${path}/${shardName({ first: 0, count: IMAGES })}`;
    const writer = await createFeatures(name, layer, WIDTH, "float32", meta);
    const { data } = randomMatrix(rows, WIDTH, layer);
    await writer.write({
      image: Int32Array.from({ length: rows }, (_, i) => Math.floor(i / TOKENS)),
      token: Int16Array.from({ length: rows }, (_, i) => i % TOKENS),
      vectors: data.map((value, at) =>
        value + 3 * Math.sin(Math.floor(at / (9 * WIDTH * TOKENS)) + at % WIDTH)
      ),
    });
    await writer.finish();
    layers.push({ layer, path, tensor: "", shards: [] });
  }
  const images = Array.from({ length: IMAGES }, (_, i) => `image ${i}`);
  const grid = { rows: 2, cols: 2 };
  return {
    model: "vit",
    layers,
    width: WIDTH,
    tokens: TOKENS,
    grid,
    images,
    dtype: "float32",
  } as FeatureManifest;
}

function optionsOf(sampling: PipelineOptions["sampling"], neighbors: PipelineOptions["neighbors"]) {
  const data = Float32Array.from({ length: 2 * WIDTH * WIDTH }, (_, at) => Number(at % (WIDTH + 1) === 0));
  const slots = [1, 2].map((layer) => ({ name: `vit L${layer}`, width: WIDTH }));
  const align = { slots, transforms: { data, rows: 2 * WIDTH, cols: WIDTH } };
  return {
    align,
    landmarks: 24,
    sampling,
    neighbors,
    components: 5,
    seed: 1,
    sample: 40,
    iterations: 20,
    knn: "exact",
  } as unknown as PipelineOptions;
}

/** Does what has to fail, on a disk that takes a number of files and is full then. */
async function onFullDisk(files: number, work: () => Promise<unknown>): Promise<void> {
  const { rename } = Deno;
  let left = files;
  Deno.rename = (from, to) =>
    left-- > 0
      ? rename(from, to)
      : Promise.reject(new Error("No space left on device (os error 28): rename"));
  try {
    await assertRejects(work, Error, "No space left on device.");
  } finally {
    Deno.rename = rename;
  }
}

Deno.test("tasks that each make a part leave what one process makes alone, byte for byte, also after a full disk", async (t) => {
  for (const [sampling, neighbors] of [["uniform", "all"], ["farthest", "all"], ["farthest", 4]] as const) {
    await t.step(`${sampling}, neighbors ${neighbors}`, () =>
      inTemporaryFolder(async (dir) => {
        const manifests = [await writeFeatures(`${dir}/features`)], options = optionsOf(sampling, neighbors);
        const [one, two] = ["one", "two"].map((name) => `${dir}/${name}`);
        for (const folder of [one, two]) {
          for (const stage of ["cut", "map", "colors"]) {
            await Deno.mkdir(`${folder}/${stage}`, { recursive: true });
          }
        }
        await solveGraph({ gpu, folder: `${one}/cut`, manifests, options });
        const inputs = (folder: string) => ({ cut: `${folder}/cut`, map: `${folder}/map`, manifests });
        const isMapped = sampling === "uniform"; // once: t-SNE is the same for all
        if (isMapped) {
          await makeMap(gpu, `${one}/map`, `${one}/cut`, manifests, options);
          await makeColors(gpu, `${one}/colors`, inputs(one), () => {});
        }

        const cut = `${two}/cut`, work = { gpu, folder: cut, manifests, options };
        const steps = {
          landmarks: (task: number) => findCandidates(work, { task, tasks: 2 }),
          affinities: (task: number) => sumBlocksOf(work, "affinities", { task, tasks: 2 }),
          products: (task: number) => sumBlocksOf(work, "products", { task, tasks: 2 }),
          fit: () => fitGraph(work),
          propagate: (task: number) => propagateRange(work, { task, tasks: 2 }),
        };
        for (const [step, run] of Object.entries(steps)) {
          if (step === "landmarks" && sampling === "uniform") continue;
          if ((step === "affinities" || step === "products") && neighbors !== "all") continue;
          // The disk is full at the first file of a task, and at the second: what it makes after that is what it makes alone.
          for (const files of step === "fit" ? [0] : [0, 1]) await onFullDisk(files, () => run(0));
          // The last task first, and one of them twice: it finds what it had made.
          const parts = [];
          for (const task of step === "fit" ? [0] : [1, 0, 1]) parts.push(await run(task));
          assertEquals(parts[2], parts.length > 1 ? parts[0] : undefined);
          for (const made of parts) {
            if (!made) continue;
            for (const look of [lookAtNames(), lookAtSizes()]) assert(areFilesThere(cut, made, look), step);
          }
        }
        await solveGraph(work);
        if (isMapped) {
          await makeMap(gpu, `${two}/map`, cut, manifests, options);
          await onFullDisk(
            1,
            () => makeColorBatches(gpu, `${two}/colors`, inputs(two), { task: 0, tasks: 2 }),
          );
          for (const task of [1, 0]) {
            await makeColorBatches(gpu, `${two}/colors`, inputs(two), { task, tasks: 2 });
          }
          await makeColors(gpu, `${two}/colors`, inputs(two), () => {});
        }

        const expected = await filesUnder(one), found = await filesUnder(two);
        assert(
          Object.keys(expected).filter((name) => name.includes("/layer=")).length === (isMapped ? 8 : 4),
        );
        assertEquals(found, expected);
        assertEquals(gpu.memory.inUse, 0);
      }));
  }
});

Deno.test("evaluationImages() takes one out of each of equal parts of the list, or all", () => {
  assertEquals(evaluationImages(4, 4, 0), [0, 1, 2, 3]);
  for (const [images, most] of [[9, 4], [1_000_000, 1000], [1001, 1000]]) {
    const chosen = evaluationImages(images, most, 7);
    assertEquals(chosen, evaluationImages(images, most, 7));
    assertEquals(chosen.map((image) => Math.ceil((image + 1) * most / images) - 1), chosen.map((_, i) => i));
  }
});

Deno.test("copyFeatures() has the values of the images that were chosen, and their names", async () => {
  await inTemporaryFolder(async (dir) => {
    const manifest = await writeFeatures(`${dir}/features`), chosen = [2, 3, 69];
    await copyFeatures(`${dir}/copy`, manifest, chosen, chosen.map((i) => manifest.images[i]), () => {});
    const copy: FeatureManifest = JSON.parse(await Deno.readTextFile(`${dir}/copy/manifest.json`));
    assertEquals(copy.images, ["image 2", "image 3", "image 69"]);
    const { openFeatures } = await import("../../src/data/features/feature_shards.ts");
    for (const [at, { path }] of copy.layers.entries()) {
      const [from, to] = [await openFeatures(manifest.layers[at].path), await openFeatures(path)];
      for (const [i, image] of chosen.entries()) {
        assertEquals(
          await to.readRows(i * TOKENS, (i + 1) * TOKENS),
          await from.readRows(image * TOKENS, (image + 1) * TOKENS),
        );
      }
      for (const file of [from, to]) await file.close();
    }
  });
});

Deno.test("what a task holds of a graph does not grow with it: GPU buffers and rows read at a time, at three sizes", async () => {
  const m = 20, features = randomMatrix(m, WIDTH, 5), held: string[] = [];
  const root = Float64Array.from({ length: m * m }, (_, at) => Number(at % (m + 1) === 0));
  for (const rows of [9_000, 18_000, 36_000]) {
    let most = 0;
    const source: NodeSource = {
      rows,
      cols: WIDTH,
      read(first, count) {
        most = Math.max(most, count);
        const data = Float32Array.from({ length: count * WIDTH }, (_, at) => Math.sin(first * WIDTH + at));
        return Promise.resolve({ data, rows: count, cols: WIDTH });
      },
    };
    gpu.memory.peak = 0;
    const block = { first: 0, rows }, q = new Float64Array(m).fill(1);
    await affinitySums(gpu, source, block, features);
    await affinityProducts(gpu, source, block, features, { root, rank: m, q, least: 1 });
    const landmarks = Uint32Array.from({ length: m }, (_, i) => 400 * i);
    const fit = await fitNystrom(gpu, source, { landmarks, neighbors: 4, components: 3, search: "exact" });
    for await (const panel of fit.panels(source)) most = Math.max(most, panel.vectors.rows);
    for await (const panel of nearestRows(gpu, source, features)) most = Math.max(most, panel.nearest.length);
    held.push(`${gpu.memory.peak} bytes, ${most} rows`);
  }
  assertEquals(new Set(held).size, 1, held.join("; "));
});
