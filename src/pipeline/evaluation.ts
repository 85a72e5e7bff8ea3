/** The images that experiments look at, and what is kept of them: a sample whose size does not grow with the images. */
import { createFeatures } from "../data/features/feature_store.ts";
import { describeShard, openFeatures, shardName } from "../data/features/feature_shards.ts";
import type { FeatureSource } from "../data/features/feature_source.ts";
import { datasetFiles, readDatasetColumn } from "../data/features/node_dataset.ts";
import { type FeatureManifest, makeFolder, namesSha256, noted } from "../data/features/extract_parts.ts";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { fork, seededRandom } from "../linalg/random.ts";
import type { Matrix } from "../linalg/matrix.ts";

/**
 * Chooses images for the experiments: all, or one out of each of `most` parts of the list, equally long up to one image. The
 * list is in the order of names or of classes, so that every part of it has its share.
 *
 * @returns ascending
 */
export function evaluationImages(images: number, most: number, seed: number): number[] {
  if (images <= most) return Array.from({ length: images }, (_, i) => i);
  const random = seededRandom(fork(seed, "evaluation images")),
    at = (i: number) => Math.floor(images * i / most);
  return Array.from({ length: most }, (_, i) => at(i) + Math.floor(random() * (at(i + 1) - at(i))));
}

/**
 * Copies the features of some images, value by value, and writes a manifest of them.
 *
 * @param outDir gets a folder for every layer and manifest.json
 * @param chosen numbers of images, ascending
 * @param names of these images
 */
export async function copyFeatures(
  outDir: string,
  manifest: FeatureManifest,
  chosen: readonly number[],
  names: string[],
  onLayer: (layers: number) => void,
): Promise<void> {
  const { tokens, width, dtype } = manifest, range = { first: 0, count: chosen.length };
  const copy: FeatureManifest = {
    ...manifest,
    images: names,
    imagesSha256: namesSha256(names.map((name) => ({ name }))),
    layers: [],
  };
  for (const { layer, path, tensor } of manifest.layers) {
    const folder = `${outDir}/${path.split("/").at(-1)}`, name = `${folder}/${shardName(range)}`;
    await makeFolder(folder);
    await using source = await openFeatures(path);
    const writer = await createFeatures(name, layer, width, dtype, noted(copy, range));
    try {
      for (const [at, image] of chosen.entries()) {
        await writer.write({
          image: new Int32Array(tokens).fill(at),
          token: Int16Array.from({ length: tokens }, (_, t) => t),
          vectors: await source.readRows(image * tokens, (image + 1) * tokens),
        });
      }
      await writer.finish();
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    copy.layers.push({ layer, path: folder, tensor, shards: [await describeShard(name, range)] });
    onLayer(copy.layers.length);
  }
  await writeFileAtomic(`${outDir}/manifest.json`, JSON.stringify(copy));
}

/** Eigenvectors of some images: slots one behind the other, images in each, tokens in each. */
export async function vectorsOfImages(vectors: FeatureSource, chosen: readonly number[]): Promise<Matrix> {
  const { slots, cols } = vectors;
  const rows = slots.reduce((sum, { tokens }) => sum + chosen.length * tokens, 0);
  const data = new Float32Array(rows * cols);
  let at = 0;
  for (const { first, tokens } of slots) {
    for (const [from, count] of runsOf(chosen)) {
      const read = await vectors.read(first + from * tokens, count * tokens);
      data.set(read.data, at);
      at += read.data.length;
    }
  }
  return { data, rows, cols };
}

/** Nearest sample points of some images' nodes, in the same order, from the dataset "colors" in a folder. */
export async function nearestOfImages(
  folder: string,
  { slots }: FeatureSource,
  chosen: readonly number[],
): Promise<Uint32Array> {
  const all = new Uint32Array(chosen.length * slots.reduce((sum, { tokens }) => sum + tokens, 0));
  let at = 0;
  for (const { path, first, count, slot: { tokens } } of datasetFiles(slots)) {
    const own = chosen.filter((image) => image >= first && image < first + count);
    if (own.length === 0) continue;
    const nearest = await readDatasetColumn(`${folder}/colors/${path}`, "nearest");
    for (const image of own) {
      all.set(nearest.subarray((image - first) * tokens, (image - first + 1) * tokens), at);
      at += tokens;
    }
  }
  return all;
}

/** Runs of consecutive numbers: the first and how many. */
function runsOf(numbers: readonly number[]): [first: number, count: number][] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === number) last[1]++;
    else runs.push([number, 1]);
  }
  return runs;
}
