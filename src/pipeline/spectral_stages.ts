/** The stages "map", a t-SNE of a sample of nodes, and "colors", every node's place in it. */
import { type DatasetFile, slotFolder } from "../data/features/node_dataset.ts";
import { type FeatureSource, openFeatureSource } from "../data/features/feature_source.ts";
import type { FeatureManifest } from "../data/features/extract_parts.ts";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import type { SizesByFolder } from "../data/files/file_look.ts";
import { readNpy, writeNpy } from "../data/formats/npy.ts";
import { colorsFromPoints } from "../embed/color.ts";
import { fitSpectralMap, nearestRows } from "../embed/spectral_map.ts";
import { type Gpu, trim } from "../gpu/mod.ts";
import { nodesOf } from "../graph/node_source.ts";
import { sampleLandmarks } from "../graph/landmarks.ts";
import { fork, MAX_PASSED, type RowNumbers, sampleIndices, seededRandom } from "../linalg/random.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { makeBatches, makeDataset, type TaskShare } from "./node_batches.ts";
import type { PipelineOptions } from "./pipeline_options.ts";

/** The eigenvectors of all nodes as a source that is read panel by panel; a node's stratum is its slot. To be closed. */
export async function openVectors(cut: string, manifests: FeatureManifest[]): Promise<FeatureSource> {
  const source = await openFeatureSource(
    manifests.flatMap(({ model, layers }) =>
      layers.map(({ layer }) => `${cut}/eigenvectors/${slotFolder({ model, layer })}`)
    ),
  );
  const { slots } = source;
  return {
    ...source,
    name: "eigenvectors",
    strata: (row) => slots.findLastIndex(({ first }) => first <= row),
  };
}

/** Maps of a sample that has as many nodes of every slot, into a folder. */
export async function makeMap(
  gpu: Gpu,
  folder: string,
  cut: string,
  manifests: FeatureManifest[],
  { sample, iterations, seed }: PipelineOptions,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<void> {
  await using vectors = await openVectors(cut, manifests);
  try {
    const found = await fitSpectralMap(gpu, vectors, {
      sample: await sampleOfSlots(gpu, vectors, Math.min(sample, vectors.rows), seed),
      iterations,
      seed,
      dimensions: [3, 2],
      onProgress,
    });
    const [cube, plane] = found.maps, { vectors: own } = found;
    if (cube.lowered) console.error(cube.lowered);
    await writeNpy(`${folder}/points3.npy`, cube.points.data, [cube.points.rows, 3]);
    await writeNpy(`${folder}/points2.npy`, plane.points.data, [plane.points.rows, 2]);
    await writeNpy(`${folder}/sample.npy`, Float64Array.from(found.sample), [found.sample.length]);
    await writeNpy(`${folder}/vectors.npy`, own.data, [own.rows, own.cols]);
    await writeFileAtomic(
      `${folder}/map.json`,
      JSON.stringify({ kl: cube.kl, trustworthiness: cube.trustworthiness, lowered: cube.lowered }),
    );
  } finally {
    trim(gpu);
  }
}

/** Nodes in proportion from every slot, ascending; of more than 2²⁴ nodes each slot is drawn from without passing all of it. */
async function sampleOfSlots(
  gpu: Gpu,
  vectors: FeatureSource,
  count: number,
  seed: number,
): Promise<RowNumbers> {
  const { rows, slots } = vectors;
  if (rows <= MAX_PASSED) return await sampleLandmarks(gpu, vectors, { count, sampling: "stratified", seed });
  const before = (node: number) => Math.floor(count * node / rows);
  return Float64Array.from(slots.flatMap(({ first, rows: own }, at) => {
    const random = seededRandom(fork(seed, "sample of a slot", at));
    return Array.from(
      sampleIndices(own, before(first + own) - before(first), random),
      (row) => first + row,
    );
  }));
}

/** Where the colors of all nodes come from. */
interface ColorInputs {
  cut: string;
  map: string;
  manifests: FeatureManifest[];
}

/** Nearest sample point and color of every node, into a folder. */
export async function makeColors(
  gpu: Gpu,
  folder: string,
  inputs: ColorInputs,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  await withColumns(
    gpu,
    inputs,
    ({ slots, rows }, columnsOf) =>
      makeDataset(folder, "colors", slots, columnsOf, (nodes) => onProgress(nodes, rows)),
  );
}

/** The same of every `tasks`th batch of files, for `makeColors` to take over. @returns its files */
export async function makeColorBatches(
  gpu: Gpu,
  folder: string,
  inputs: ColorInputs,
  share: TaskShare,
): Promise<SizesByFolder> {
  return await withColumns(
    gpu,
    inputs,
    ({ slots }, columnsOf) => makeBatches(folder, "colors", slots, columnsOf, share),
  );
}

async function withColumns<T>(
  gpu: Gpu,
  { cut, map, manifests }: ColorInputs,
  work: (
    vectors: FeatureSource,
    columnsOf: (file: DatasetFile) => Promise<Record<string, Int32Array | Uint8Array>>,
  ) => Promise<T>,
): Promise<T> {
  const [base, points] = [await readMatrix(`${map}/vectors.npy`), await readMatrix(`${map}/points3.npy`)];
  const own = colorsFromPoints(points);
  await using vectors = await openVectors(cut, manifests);
  try {
    return await work(vectors, async ({ firstNode: first, rows }) => {
      const nearest = new Int32Array(rows), [red, green, blue] = [0, 1, 2].map(() => new Uint8Array(rows));
      for await (const panel of nearestRows(gpu, nodesOf(vectors, { first, rows }), base)) {
        nearest.set(panel.nearest, panel.first);
      }
      nearest.forEach((row, i) => [red[i], green[i], blue[i]] = own.subarray(3 * row, 3 * row + 3));
      return { nearest, red, green, blue };
    });
  } finally {
    trim(gpu);
  }
}

/** A matrix in a .npy file. */
export async function readMatrix(path: string): Promise<Matrix> {
  const { data, shape } = await readNpy(path);
  return { data: data as Float32Array, rows: shape[0], cols: shape[1] };
}
