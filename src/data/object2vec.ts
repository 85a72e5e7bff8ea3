/** Object2Vec (Bonner & Epstein 2021): one subject's voxels for 81 categories of objects, with features of the same. */
import type { Matrix } from "../linalg/matrix.ts";
import { reasonOf } from "./atomic_write.ts";
import { readMatrix, readNumbers } from "./number_array.ts";
import { readPlainText } from "./plain_file.ts";

/** What a folder of it holds. */
export interface Object2vec {
  /** Names, in the order of the rows. */
  categories: string[];
  /** Categories × voxels, mean responses. */
  betas: Matrix;
  /** Voxel indices by region, in the order of the labels. */
  rois: Map<string, Uint32Array>;
  /** Categories × 20: components of AlexNet's activations. */
  alexnet: Matrix;
  /** Categories × 30: components of word2vec's embeddings. */
  word2vec: Matrix;
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
  const betas = await readMatrix(`${dir}/betas.npy`, count, null);
  const indexPath = `${dir}/roi_index.npy`;
  const index = Array.from((await readNumbers(indexPath, [betas.cols])).data);
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
  const rois = new Map(labels.rois.map((name, i) => {
    const voxels = index.flatMap((number, voxel) => number === i + 1 ? [voxel] : []);
    return [name, Uint32Array.from(voxels)];
  }));
  return {
    categories: labels.categories,
    betas,
    rois,
    alexnet: await readMatrix(`${dir}/alexnet.npy`, count, null),
    word2vec: await readMatrix(`${dir}/word2vec.npy`, count, null),
  };
}

async function readLabels(path: string): Promise<{ categories: string[]; rois: string[] }> {
  let content: Record<string, unknown>;
  try {
    content = JSON.parse(await readPlainText(path));
  } catch (error) {
    throw new Error(
      `Cannot read ${path} (${reasonOf(error)}): expected { "rois": […], "categories": […] }.`,
      {
        cause: error,
      },
    );
  }
  const { categories, rois } = content ?? {};
  if (!isNames(categories) || !isNames(rois)) {
    throw new Error(
      `${path} does not name the data: expected { "rois": […], "categories": […] }, lists of names.`,
    );
  }
  return { categories, rois };
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
}
