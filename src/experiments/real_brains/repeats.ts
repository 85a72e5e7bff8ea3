/** How far the dissimilarities of one recording repeat themselves: what a model can reach at most. */
import { seededRandom } from "../../linalg/random.ts";
import { rankingOf, spearman } from "../../statistics/rank_correlation.ts";
import { rdm } from "../../statistics/rsa.ts";

/** Responses to single presentations, NaN where there was none. */
export interface Repeats {
  /** neurons × pictures × repeats. */
  data: ArrayLike<number>;
  neurons: number;
  pictures: number;
  /** At most of a picture. */
  repeats: number;
}

/** Agreement of the repeats' halves, Spearman's ρ, mean over random splits. */
export interface RepeatAgreement {
  /** Of one half with the other. */
  halves: number;
  /** √(2ρ / (1 + ρ)): about what a model of the true dissimilarities reaches on the mean over all repeats. */
  ceiling: number;
  /** How many splits. */
  splits: number;
}

/** Random splits whose agreement is averaged. */
const SPLITS = 20;

/**
 * Splits each picture's repeats into two halves at random, the same for all neurons, takes the mean of each, standardises
 * every neuron over all pictures, and compares the dissimilarities of some pictures. The ceiling steps the agreement of
 * halves up to all repeats (Spearman 1910, Brown 1910) and takes the root, as the model itself has no noise; for rank
 * correlations that is an approximation.
 *
 * @param recording at least two repeats of every picture
 * @param chosen pictures whose dissimilarities are compared
 * @param seed of the splits
 * @throws RangeError "Picture 3 has 1 repeat: …"
 */
export function repeatAgreement(
  recording: Repeats,
  chosen: readonly number[],
  seed: number,
): RepeatAgreement {
  const { data, neurons, pictures, repeats } = recording, random = seededRandom(seed);
  const present = Array.from({ length: pictures }, (_, picture) => {
    const found: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      if (Number.isFinite(data[picture * repeats + repeat])) found.push(repeat);
    }
    if (found.length < 2) {
      throw new RangeError(`Picture ${picture} has ${found.length} repeat: halves need at least 2.`);
    }
    return found;
  });
  let sum = 0;
  for (let split = 0; split < SPLITS; split++) {
    const halves = [0, 1].map(() => new Float64Array(pictures * neurons));
    for (const [picture, all] of present.entries()) {
      const shuffled = all.map((repeat) => ({ repeat, key: random() })).sort((a, b) => a.key - b.key);
      const each = Math.floor(all.length / 2);
      for (const [half, mean] of halves.entries()) {
        for (const { repeat } of shuffled.slice(half * each, (half + 1) * each)) {
          for (let neuron = 0; neuron < neurons; neuron++) {
            mean[picture * neurons + neuron] += data[(neuron * pictures + picture) * repeats + repeat] / each;
          }
        }
      }
    }
    const [a, b] = halves.map((mean) => rankingOf(rdm(standardised(mean, pictures, neurons, chosen))));
    sum += spearman(a, b);
  }
  const halves = sum / SPLITS;
  return { halves, ceiling: Math.sqrt(Math.max(0, 2 * halves / (1 + halves))), splits: SPLITS };
}

/** Rows of the chosen pictures, each neuron less its mean over all pictures, by its standard deviation. */
function standardised(means: Float64Array, pictures: number, neurons: number, chosen: readonly number[]) {
  const out = new Float32Array(chosen.length * neurons);
  for (let neuron = 0; neuron < neurons; neuron++) {
    let mean = 0, squares = 0;
    for (let picture = 0; picture < pictures; picture++) mean += means[picture * neurons + neuron] / pictures;
    for (let picture = 0; picture < pictures; picture++) {
      squares += (means[picture * neurons + neuron] - mean) ** 2 / pictures;
    }
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (const [row, picture] of chosen.entries()) {
      out[row * neurons + neuron] = (means[picture * neurons + neuron] - mean) * scale;
    }
  }
  return { data: out, rows: chosen.length, cols: neurons };
}
