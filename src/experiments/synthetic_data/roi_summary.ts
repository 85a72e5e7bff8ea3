/** What each region of the simulated subject prefers, and how much of its responses is signal. */
import { CATEGORIES, renderScene } from "../../../fixtures/scenes/mod.ts";
import type { Subject } from "../../data/datasets/subject.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { DatasetPlan } from "../../synthetic/write_dataset.ts";
import { type SimulatedSubject, statedCeilings, subjectOrder } from "../../synthetic/subject_voxels.ts";
import { mean, pearson } from "../../statistics/summary.ts";

/** One region's numbers. */
export interface RoiSummary {
  name: string;
  /** Voxel indices in the files' order: left hemisphere first. */
  voxels: Uint32Array;
  /** Mean noise ceiling of its voxels (r²). */
  stated: number;
  lowest: number;
  highest: number;
  /** Mean squared correlation of responses with and without noise; undefined with fewer than 20 held-out scenes. */
  measured?: number;
  /** Mean response to each category, in standard deviations of each voxel; null where no scene shows it. */
  byCategory: (number | null)[];
  /** The voxel with the highest ceiling. */
  example: number;
  /** Training scenes by the response of that voxel, the strongest first. */
  best: number[];
}

const MIN_SCENES = 20, MAX_SCENES = 60, MAX_TRAINING = 1000;

/**
 * Summarises the regions of a dataset from its files.
 *
 * @param subject the training split
 * @param heldOut the test split
 * @param dataset folder of the dataset, whose ground truth says which category a scene shows
 * @param plan which scenes the rows are
 * @param simulated the subject itself, for responses without noise
 */
export async function summarizeRois(
  { subject, heldOut, dataset, plan, simulated }: {
    subject: Subject;
    heldOut: Subject;
    dataset: string;
    plan: DatasetPlan;
    simulated: SimulatedSubject;
  },
): Promise<RoiSummary[]> {
  const rows = Math.min(subject.images.length, MAX_TRAINING);
  const responses = await subject.readResponses(0, rows);
  const categories = (await trainingCategories(dataset)).slice(0, rows);
  const measured = await measuredCeilings(heldOut, plan, simulated);
  const stated = statedCeilings(simulated);
  return simulated.rois.flatMap((name) => {
    const voxels = subject.rois.get(name) ?? new Uint32Array();
    if (voxels.length === 0) return [];
    const ceilings = Array.from(voxels, (voxel) => stated[voxel]);
    const example = voxels[ceilings.indexOf(Math.max(...ceilings))];
    const at = (image: number) => responses.data[image * responses.cols + example];
    return [{
      name,
      voxels,
      example,
      stated: mean(ceilings),
      lowest: Math.min(...ceilings),
      highest: Math.max(...ceilings),
      measured: measured && mean(Array.from(voxels, (voxel) => measured[voxel])),
      byCategory: meanByCategory(responses, voxels, categories),
      best: categories.map((_, image) => image).sort((a, b) => at(b) - at(a)),
    }];
  });
}

/** Category of every training scene, by index. */
async function trainingCategories(dataset: string): Promise<number[]> {
  const lines = (await Deno.readTextFile(`${dataset}/truth/training.jsonl`)).trim().split("\n");
  return lines.map((line) => CATEGORIES.indexOf(JSON.parse(line).category));
}

/** Mean over a region's voxels of each voxel's standardised mean response to each category. */
function meanByCategory(responses: Matrix, voxels: Uint32Array, categories: number[]): (number | null)[] {
  const sums = new Float64Array(CATEGORIES.length), counts = new Float64Array(CATEGORIES.length);
  for (const voxel of voxels) {
    const values = categories.map((_, image) => responses.data[image * responses.cols + voxel]);
    const center = mean(values);
    const spread = Math.sqrt(mean(values.map((value) => (value - center) ** 2))) || 1;
    values.forEach((value, image) => {
      sums[categories[image]] += (value - center) / spread;
      counts[categories[image]]++;
    });
  }
  return Array.from(sums, (sum, category) => counts[category] > 0 ? sum / counts[category] : null);
}

async function measuredCeilings(
  heldOut: Subject,
  plan: DatasetPlan,
  simulated: SimulatedSubject,
): Promise<number[] | undefined> {
  const count = Math.min(heldOut.images.length, MAX_SCENES);
  if (count < MIN_SCENES) return undefined;
  const { data, cols } = await heldOut.readResponses(0, count);
  const order = subjectOrder(simulated);
  const clean = Array.from({ length: count }, (_, i) => simulated.respond(renderScene(plan.test.from + i)));
  return Array.from({ length: cols }, (_, voxel) => {
    const noisy = clean.map((_, i) => data[i * cols + voxel]);
    return pearson(noisy, clean.map((response) => response[order[voxel]])) ** 2;
  });
}
