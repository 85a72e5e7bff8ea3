/** Encoders of the same features without channel alignment. */
import { takeColumns, takeRows } from "../../linalg/host_matrix.ts";
import { brainScore } from "../../align/brain_score.ts";
import { slotOffset } from "../../align/model.ts";
import { ridge, ridgePath } from "../../align/ridge.ts";
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { type Score, scoreOf } from "../../pipeline/align_cache.ts";
import type { BrainData } from "../../pipeline/brain_data.ts";
import { mapConcurrently } from "../../data/files/map_concurrently.ts";

/** Penalties in units of the number of images, and folds: coarser than `ridge`'s own, for the time it takes. */
const PENALTIES = [0.03, 0.1, 0.3, 1, 3, 10, 30], FOLDS = 3;
/** Of the encoders of single slots, which have few features. */
const PER_SLOT_PENALTIES = [0.1, 1, 10];
/** Encoders fitted side by side. */
const LANES = 3;
/** Share of the training images on which a voxel chooses its slot. */
const CHOOSING = 0.1;

function penalties(images: number): number[] {
  return PENALTIES.map((share) => share * images);
}

/** One matrix above the other. */
function stacked(above: Matrix, below: Matrix): Matrix {
  const data = new Float32Array(above.data.length + below.data.length);
  data.set(above.data);
  data.set(below.data, above.data.length);
  return { data, rows: above.rows + below.rows, cols: above.cols };
}

/** Ridge regression of every voxel on all slots' pooled features side by side. */
export async function ridgeScore(gpu: Gpu, data: BrainData): Promise<Score> {
  const { training, test } = data;
  const options = { alphas: penalties(training.pooled.rows), folds: FOLDS };
  const { predict } = await ridge(gpu, training.pooled, training.responses, options);
  return scoreOf(data, await predict(test.pooled));
}

/**
 * The plain brain encoder without channel alignment (after Yang, Gee & Shi 2024): every slot has an encoder of its own, and
 * every voxel takes the slot, and the penalty, that predict it best on a tenth of the training images held out from the fit.
 */
export async function perSlotScore(
  gpu: Gpu,
  data: BrainData,
  onProgress?: (done: number, total: number) => void,
): Promise<Score> {
  const { training, test, slots } = data, images = training.pooled.rows, voxels = training.responses.cols;
  const held = Math.max(2, Math.round(images * CHOOSING));
  const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const heldOut = takeRows(training.responses, rows(0, held)),
    responses = takeRows(training.responses, rows(held, images));
  const pooled = takeRows(training.pooled, rows(held, images));
  const both = stacked(takeRows(training.pooled, rows(0, held)), test.pooled);
  const best = new Float64Array(voxels).fill(-Infinity);
  const predicted = {
    data: new Float32Array(test.pooled.rows * voxels),
    rows: test.pooled.rows,
    cols: voxels,
  };
  const chosen = new Int32Array(voxels), alphas = PER_SLOT_PENALTIES.map((share) => share * pooled.rows);
  let done = 0;
  await mapConcurrently(slots.length, LANES, async (slot) => {
    const first = slotOffset(slots, slot);
    const own = (features: Matrix) => takeColumns(features, first, first + slots[slot].width);
    for (const [p, predict] of (await ridgePath(gpu, own(pooled), responses, alphas)).entries()) {
      const job = slot * alphas.length + p, { data } = await predict(own(both));
      const { r } = brainScore({ data: data.subarray(0, held * voxels), rows: held, cols: voxels }, heldOut);
      for (let v = 0; v < voxels; v++) {
        if (!(r[v] > best[v] || r[v] === best[v] && job < chosen[v])) continue;
        [best[v], chosen[v]] = [r[v], job];
        for (let i = v; i < predicted.data.length; i += voxels) predicted.data[i] = data[held * voxels + i];
      }
    }
    onProgress?.(++done, slots.length);
  });
  return scoreOf(data, predicted);
}

/** What where-ness adds: ridge on one layer pooled over the whole image, and over cells of it. */
export interface PositionScores {
  slot: string;
  cells: number;
  whole: Score;
  parts: Score;
}

/**
 * How much of a score position accounts for: the same layer pooled globally and over cells × cells parts.
 *
 * @param whole globally pooled data
 * @param parts the same images pooled over cells
 * @param slot which slot of `parts`, by its name also one of `whole`
 */
export async function positionScores(
  gpu: Gpu,
  whole: BrainData,
  parts: BrainData,
  slot: string,
  cells: number,
): Promise<PositionScores> {
  const scores = [];
  for (const data of [whole, parts]) {
    let first = 0;
    const at = data.slots.findIndex(({ name }) => name === slot);
    for (const { width } of data.slots.slice(0, at)) first += width;
    const own = (pooled: Matrix) => takeColumns(pooled, first, first + data.slots[at].width);
    const options = { alphas: penalties(data.training.pooled.rows), folds: FOLDS };
    const { predict } = await ridge(gpu, own(data.training.pooled), data.training.responses, options);
    scores.push(scoreOf(data, await predict(own(data.test.pooled))));
  }
  return { slot, cells, whole: scores[0], parts: scores[1] };
}
