/** Object2Vec (Bonner & Epstein 2021): one subject's voxels for 81 categories of objects, with features of the same. */
import * as v from "valibot";
import type { Matrix } from "../../linalg/matrix.ts";
import { reasonOf } from "../files/atomic_write.ts";
import { leftOutSentences, VoxelScan } from "./left_out_voxels.ts";
import { readMatrix, readNumbers } from "../formats/number_array.ts";
import { listOf, objectOf, parseJson, TEXT } from "../files/checked_json.ts";
import { readPlainText } from "../files/plain_file.ts";
import { report } from "../files/skipped.ts";

/** What a folder of it holds. */
export interface Object2vec {
  /** Names, in the order of the rows. */
  categories: string[];
  /** Categories × voxels, mean responses; voxels with one that is not finite, or with one only, are left out. */
  betas: Matrix;
  /** Voxel indices by region, in the order of the labels. */
  rois: Map<string, Uint32Array>;
  /** Categories × 20: components of AlexNet's activations. */
  alexnet: Matrix;
  /** Categories × 30: components of word2vec's embeddings. */
  word2vec: Matrix;
  /** What was left out, a sentence each. */
  skipped: string[];
}

/**
 * Reads the folder.
 *
 * @param dir holds labels.json, betas.npy, roi_index.npy (numbers of the labels' `rois` from 1), alexnet.npy, word2vec.npy
 * @throws Error one sentence that names the file, what was found and what was expected
 */
export async function readObject2vec(dir: string): Promise<Object2vec> {
  const labels = await readLabels(`${dir}/labels.json`);
  const count = labels.categories.length;
  const all = await readMatrix(`${dir}/betas.npy`, count, null, true);
  const indexPath = `${dir}/roi_index.npy`;
  const index = Array.from((await readNumbers(indexPath, [all.cols])).data);
  const wrong = index.findIndex((number) =>
    !(Number.isInteger(number) && number >= 1 && number <= labels.rois.length)
  );
  if (wrong >= 0) {
    throw new Error(
      `${indexPath} gives voxel ${wrong} the region ${
        index[wrong]
      }, expected 1 to ${labels.rois.length}, the regions of labels.json.`,
    );
  }
  const scan = new VoxelScan(all.cols), empty = scan.add(all.data), reasons = scan.reasons();
  if (empty) throw new Error(`${dir}/betas.npy has ${empty.has} in row ${empty.row}, counted from 0.`);
  const kept = [...reasons.keys()].filter((voxel) => reasons[voxel] === 0);
  const regions = (numbers: number[]) =>
    new Map(labels.rois.map((name, i) => {
      const voxels = numbers.flatMap((number, voxel) => number === i + 1 ? [voxel] : []);
      return [name, Uint32Array.from(voxels)];
    }));
  const skipped = leftOutSentences(reasons, regions(index));
  for (const what of skipped) report(`left out of object2vec: ${what}`);
  if (kept.length === 0) throw new Error(`${dir}/betas.npy has no voxel that is of use: ${skipped[0]}.`);
  const { rows, cols } = all;
  const data = Float32Array.from(
    { length: rows * kept.length },
    (_, at) => all.data[Math.floor(at / kept.length) * cols + kept[at % kept.length]],
  );
  return {
    categories: labels.categories,
    betas: { data, rows, cols: kept.length },
    rois: regions(kept.map((voxel) => index[voxel])),
    skipped,
    alexnet: await readMatrix(`${dir}/alexnet.npy`, count, null),
    word2vec: await readMatrix(`${dir}/word2vec.npy`, count, null),
  };
}

const NAMES = v.pipe(listOf(TEXT, "a list of names"), v.minLength(1, "at least one name"));
const LABELS = objectOf({ categories: NAMES, rois: NAMES }, "rois and categories");

async function readLabels(path: string): Promise<{ categories: string[]; rois: string[] }> {
  try {
    return parseJson(await readPlainText(path), LABELS);
  } catch (error) {
    throw new Error(
      `Cannot read ${path} (${reasonOf(error)}): name the data as { "rois": […], "categories": […] }.`,
      { cause: error },
    );
  }
}
