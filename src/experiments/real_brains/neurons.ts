/** Neurons of macaque V4: which layers of vision models predict them, and find the same photographs alike. */
import { takeColumns } from "../../linalg/host_matrix.ts";
import { createHash } from "node:crypto";
import { brainScore, type RoiScore } from "../../align/brain_score.ts";
import { ridge } from "../../align/ridge.ts";
import { openAlgonautsSplits } from "../../data/datasets/algonauts.ts";
import { tellSameImages } from "../../data/datasets/same_images.ts";
import type { Subject } from "../../data/datasets/subject.ts";
import { isThere } from "../../data/files/plain_file.ts";
import { readNumbers } from "../../data/formats/number_array.ts";
import { previewCrop } from "../../data/images/preprocess.ts";
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { type BrainSplit, readBrainData } from "../../pipeline/brain_data.ts";
import type { RunModels } from "../../pipeline/models.ts";
import { type Agreement, rdm, rsa, type RsaOptions } from "../../statistics/rsa.ts";
import { type RepeatAgreement, repeatAgreement } from "./repeats.ts";
import { rowsOf } from "./rsa_by_layer.ts";

/** One layer of a model beside one session's neurons. */
export interface NeuronLayer {
  /** 1 is the first. */
  layer: number;
  /** Over neurons: r of ridge regression's predictions for held-out photographs, and over √ceiling where that is known. */
  encoding: RoiScore;
  /** Dissimilarities of the held-out photographs, with those of the neurons. */
  similarity: Agreement;
}

/** One recording session. */
export interface NeuronSession {
  /** Its folder's name. */
  name: string;
  /** How many. */
  neurons: number;
  /** How many photographs ridge regression learns from, and is scored on. */
  photographs: { training: number; test: number };
  /** What of the files was left out, a sentence each. */
  skipped: readonly string[];
  /** Pixels of the photographs as the first model gets them: what needs no model. */
  pixels: Agreement;
  /** In the order given. */
  models: { model: string; layers: NeuronLayer[] }[];
  /** How well one half of the repeats agrees with the other; absent where single repeats are not there. */
  repeats?: RepeatAgreement;
}

/** Settings of `neuronSession`. */
export interface NeuronOptions extends RsaOptions {
  /** The models, each at its own size. */
  models: RunModels;
  /** Folder for pooled features. */
  cacheDir: string;
  /** Called with the share of the work that is done, from 0 to 1, and what was done. */
  onProgress?: (done: number, total: number, note: string) => void;
}

/**
 * Scores every layer of every model on one session: features averaged over tokens, ridge regression to each neuron with a
 * penalty of its own chosen on the training photographs, and representational similarity on the held-out ones.
 *
 * @param dir holds algonauts/NAME, and responses_raw/NAME.npy where single repeats are known
 * @param name of the session
 * @throws Error one sentence that names the file or model that is not usable
 */
export async function neuronSession(
  gpu: Gpu,
  dir: string,
  name: string,
  { models: { models, view }, cacheDir, onProgress, ...options }: NeuronOptions,
): Promise<NeuronSession> {
  const folder = `${dir}/algonauts/${name}`, subject = await openAlgonautsSplits(folder);
  const { training: known, test: held } = subject, { seed = 0 } = options;
  if (!held) {
    throw new Error(`${folder} has no responses to its test_split: copy the whole data set again.`);
  }
  const hashes = [await known.hashImages(), await held.hashImages()];
  tellSameImages(folder, hashes.flat());
  const imagesKey = createHash("sha256").update(JSON.stringify([...hashes, view])).digest("hex").slice(0, 16);
  const extracted = { subject, models, view, cacheDir, imagesKey, seed, cells: 1 };
  const { training, test, slots, noiseCeiling, skipped } = await readBrainData({
    ...extracted,
    onProgress: (done, total, note) => onProgress?.(done / total, 2, `${name} ${note}`),
  });
  const brain = rdm(test.responses), neurons = test.responses.cols;
  const all = new Map([["all", Uint32Array.from({ length: neurons }, (_, neuron) => neuron)]]);
  const found = new Map<string, NeuronLayer[]>();
  for (let s = 0, first = 0; s < slots.length; first += slots[s++].width) {
    const { name: slot, width } = slots[s], [, model, layer] = /^(.*) L(\d+)$/.exec(slot)!;
    const of = ({ pooled }: BrainSplit) => takeColumns(pooled, first, first + width), x = of(test);
    const { predict } = await ridge(gpu, of(training), training.responses, { seed });
    const { rois } = brainScore(await predict(x), test.responses, { rois: all, noiseCeiling });
    const layers = found.get(model) ?? [];
    layers.push({
      layer: Number(layer),
      encoding: rois.get("all")!,
      similarity: rsa(rdm(x), brain, options),
    });
    found.set(model, layers);
    onProgress?.(1 + (s + 1) / slots.length, 2, `${name} ${slot}`);
  }
  return {
    name,
    neurons,
    photographs: { training: training.images.length, test: test.images.length },
    skipped,
    pixels: rsa(rdm(await pixelsOf(held, view)), brain, options),
    models: [...found].map(([model, layers]) => ({ model, layers })),
    ...await repeatsOf(`${dir}/responses_raw/${name}.npy`, held.images, seed),
  };
}

/** Photographs × pixel values, as a model gets them. */
async function pixelsOf({ images, readImage }: Subject, view: RunModels["view"]): Promise<Matrix> {
  const rows: Uint8Array[] = [];
  for (const [row, path] of images.entries()) {
    rows.push(previewCrop(await readImage(row), view, path).data);
  }
  return rowsOf(rows);
}

async function repeatsOf(
  path: string,
  images: readonly string[],
  seed: number,
): Promise<{ repeats?: RepeatAgreement }> {
  if (!await isThere(path)) return {};
  const { data, shape: [neurons, pictures, repeats] } = await readNumbers(path, [null, null, null], true);
  const numbers = images.map((image) => Number(/image(\d+)\.\w+$/.exec(image)?.[1]) - 1);
  const wrong = numbers.findIndex((picture) => !(picture >= 0 && picture < pictures));
  if (wrong >= 0) {
    throw new Error(
      `${
        images[wrong]
      } has no column in ${path}, which has ${pictures} pictures: expected a name that ends in image0001.jpg, its number in the file.`,
    );
  }
  return { repeats: repeatAgreement({ data, neurons, pictures, repeats }, numbers, seed) };
}
