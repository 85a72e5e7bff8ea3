/** How often a figure node finds its class across models, what chance gives, and the most that could be found. */
import { takeRows } from "../../linalg/host_matrix.ts";
import { type Gpu, trim } from "../../gpu/mod.ts";
import { matmul } from "../../linalg/matmul.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { rowNormalize } from "../../linalg/row_normalize.ts";

/** What the nodes of a joint graph are. */
export interface NodeLabels {
  model: readonly string[];
  image: readonly number[];
  /** 0 is the background, 255 not known. */
  category: readonly number[];
}

/** Sums over the figure nodes of each image that were asked. */
export interface Tally {
  /** Nodes that had a node to find. */
  asked: Float64Array;
  /** Of them, those that found a node of their own class. */
  right: Float64Array;
  /** Sum of the shares of all nodes they could find that have their class. */
  chance: Float64Array;
}

/** Agreement on classes, p_o, by chance, p_e, and corrected for chance: Cohen's κ = (p_o − p_e) / (1 − p_e). */
export interface Agreement {
  observed: number;
  chance: number;
  kappa: number;
}

/** Rows whose products with all others are at hand at a time. */
const BLOCK = 512;

/**
 * Agreement over some images.
 *
 * @param draw indices of the images, as often as they count; all of them once where it is absent
 */
export function agreementOf({ asked, right, chance }: Tally, draw?: Iterable<number>): Agreement {
  let count = 0, found = 0, expected = 0;
  for (const i of draw ?? asked.keys()) {
    count += asked[i];
    found += right[i];
    expected += chance[i];
  }
  const observed = found / count, byChance = expected / count;
  return { observed, chance: byChance, kappa: (observed - byChance) / (1 - byChance) };
}

/** Whether nodes could agree, and could fail to: else there is nothing to compare with chance. */
export function isMeasurable(tally: Tally): boolean {
  const { chance } = agreementOf(tally);
  return chance > 0 && chance < 1;
}

/** How many times as often as by chance nodes agree. */
export function timesChance(tally: Tally): number {
  const { observed, chance } = agreementOf(tally);
  return observed / chance;
}

/**
 * Asks every figure node for its nearest node, by cosine, in another image: once among the nodes of other models, once among
 * those of its own, which is a ceiling where models differ.
 *
 * @param x one row a node
 * @param images how many there are
 */
export async function nearestAgreement(
  gpu: Gpu,
  x: Matrix,
  { model, image, category }: NodeLabels,
  images: number,
): Promise<{ others: Tally; own: Tally }> {
  const unit = await rowNormalize(gpu, x), { rows } = unit;
  const asked = [...category.keys()].filter((i) => isFigure(category[i]));
  const known = [...category.keys()].filter((j) => category[j] !== 255);
  const tallies = { others: emptyTally(images), own: emptyTally(images) };
  for (let first = 0; first < asked.length; first += BLOCK) {
    const block = asked.slice(first, first + BLOCK);
    const { data: cosines } = await matmul(gpu, takeRows(unit, block), unit, { transposeB: true });
    block.forEach((i, at) => {
      const sides = [tallies.others, tallies.own].map((tally) => ({
        tally,
        best: -Infinity,
        nearest: -1,
        same: 0,
        count: 0,
      }));
      for (const j of known) {
        if (image[j] === image[i]) continue;
        const side = sides[Number(model[j] === model[i])], cosine = cosines[at * rows + j];
        side.count++;
        side.same += Number(category[j] === category[i]);
        if (cosine > side.best) [side.best, side.nearest] = [cosine, j];
      }
      for (const { tally, nearest, same, count } of sides) {
        if (nearest >= 0) add(tally, image[i], Number(category[nearest] === category[i]), same / count);
      }
    });
  }
  trim(gpu);
  return tallies;
}

/**
 * The same of an oracle that has learned the classes: a node finds any node of another model, in another image, that is
 * predicted to be of the class that it is predicted to be of itself. Expected values; nothing is drawn.
 *
 * @param predicted class of every node, as of `predictedClasses`
 */
export function oracleAgreement(
  { model, image, category }: NodeLabels,
  predicted: readonly number[],
  images: number,
): Tally {
  const tally = emptyTally(images), counts = new Map<string, number>();
  const known = [...category.keys()].filter((j) => category[j] !== 255);
  // Nodes by model, image, predicted and true class; "*" stands for any.
  const keys = (i: number, p: number | "*", c: number | "*") =>
    [["*", "*"], [model[i], "*"], ["*", image[i]], [model[i], image[i]]].map((of) => [...of, p, c].join(" "));
  for (const j of known) {
    for (const p of [predicted[j], "*" as const]) {
      for (const c of [category[j], "*" as const]) {
        for (const key of keys(j, p, c)) counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  /** In other images and models. */
  const elsewhere = (i: number, p: number | "*", c: number | "*") => {
    const [all, ofModel, ofImage, ofBoth] = keys(i, p, c).map((key) => counts.get(key) ?? 0);
    return all - ofModel - ofImage + ofBoth;
  };
  for (const i of known.filter((i) => isFigure(category[i]))) {
    const count = elsewhere(i, "*", "*"), alike = elsewhere(i, predicted[i], "*");
    if (count === 0) continue;
    const right = alike > 0 ? elsewhere(i, predicted[i], category[i]) / alike : 0;
    add(tally, image[i], right, elsewhere(i, "*", category[i]) / count);
  }
  return tally;
}

function isFigure(category: number): boolean {
  return category !== 0 && category !== 255;
}

function emptyTally(images: number): Tally {
  const zeros = () => new Float64Array(images);
  return { asked: zeros(), right: zeros(), chance: zeros() };
}

function add({ asked, right, chance }: Tally, image: number, isRight: number, byChance: number): void {
  asked[image]++;
  right[image] += isRight;
  chance[image] += byChance;
}
