/** Figure and ground: the two-way normalised cut of one image's tokens. */
import type { Gpu } from "../gpu/mod.ts";
import { assertKnown, assertSeed } from "../linalg/check_options.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { affinityLessOne } from "./affinity.ts";
import { floorOf } from "./affinity_operator.ts";
import { type NormalizedCut, normalizedCut } from "./normalized_cut.ts";
import { smallestCut } from "./smallest_cut.ts";

/** Settings of `twoWayCut`. */
export interface TwoWayCutOptions {
  /** How the tokens, row by row, lie in the image; without it no token is known to touch the border. */
  grid?: {
    /** Rows of tokens. */
    rows: number;
    /** Tokens in a row. */
    cols: number;
  };
  /** The normalised cut of the same tokens with 3 components, where it is at hand; solved when absent. */
  cut?: Pick<NormalizedCut, "eigenvectors" | "eigenvalues" | "degrees">;
  /** Seed of the solve; default 0. */
  seed?: number;
  /** Stops the solve, which then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Name of the image in error messages. */
  name?: string;
}

/** What speaks for a two-way cut, each in 0 … 1. */
export interface CutEvidence {
  /** Whether the second eigenvector takes two values (1) or runs evenly from one end to the other (0). */
  twoValued: number;
  /** 1 − λ₃ / λ₂: whether the second eigenvector stands out (1) or could as well be mixed with the third (0). */
  distinct: number;
  /** 1 − ratio of the two sides in the cue that decided which is the foreground: 0 when they are alike in it. */
  side: number;
}

/** An image's tokens in two parts. */
export interface TwoWayCut {
  /** 1 for the tokens of the foreground, 0 for the others; both occur. */
  foreground: Uint8Array;
  /** cut / assoc(foreground) + cut / assoc(ground); 1 for a graph without structure, never below 1 − λ₂. */
  ncut: number;
  /** Value of the second generalised eigenvector that parts the tokens, halfway between the two nearest to it. */
  threshold: number;
  /** λ₂. */
  eigenvalue: number;
  /** The cue that identified the foreground: fewer of its tokens touch the border, or it holds the largest |entry|. */
  decidedBy: "border" | "largest entry";
  /**
   * twoValued · distinct · side, in 0 … 1. 0: the image has no second group of tokens, more than one candidate for it, or
   * nothing that separates figure from ground. 1: two tight groups, nothing else, and the foreground off the border.
   */
  confidence: number;
  /** The factors of the confidence. */
  evidence: CutEvidence;
}

/** Host memory for n × n affinities and time for n² steps end here. */
const MAX_TOKENS = 8192;
/** λ₂ of equal tokens that were rounded to float32. */
const NO_STRUCTURE = 1e-14;
/** Share of an evenly spread vector's variance that its best split explains: 3/4 (of a normal one's: 2/π, less). */
const EVEN_SPREAD = 0.75;

/**
 * Splits one image's tokens in two by the normalised cut (Shi & Malik 2000): the second generalised eigenvector
 * x = D^−½ y is split where the value of Ncut is smallest, all n − 1 thresholds tried.
 *
 * The foreground is the side with the smaller share of its tokens on the image's border; without a grid, or when both
 * have the same share, the side of the largest |x| (TokenCut). The confidence multiplies three measures, see
 * `CutEvidence`: with q the unit vector that takes one value on each side and is orthogonal to D^½ 1,
 * twoValued = (⟨q, y⟩² − 3/4) / (1/4), cut off at 0.
 *
 * @param features n × d, the patches of one image without class token and registers, n from 2 to 8192
 * @returns the foreground, the value of the cut, and how far to trust it
 * @throws RangeError when tokens and grid differ, when there are fewer than 2 tokens or more than 8192, or naming a token
 *   that is a zero vector or not finite
 *
 * Cost: `normalizedCut` with 3 components, n² values of host memory, n² steps. The confidence says whether there are two
 * groups of tokens, not whether the features group what a person would call the object: on features that follow the figures
 * of rendered scenes its rank correlation with the IoU is about 0.8, on those of a small masked autoencoder 0.1 to 0.5.
 *
 * @example
 * ```ts
 * import { closeGpu, openGpu, twoWayCut } from "../../mod.ts";
 * const gpu = await openGpu();
 * const grid = { rows: 4, cols: 4 }, inside = [5, 6, 9, 10];
 * const data = Float32Array.from({ length: 32 }, (_, at) => Number(inside.includes(at >> 1) === (at % 2 === 0)));
 * const { foreground, confidence } = await twoWayCut(gpu, { data, rows: 16, cols: 2 }, { grid });
 * if (foreground.join("") !== "0000011001100000" || confidence < 0.9) throw new Error("the square inside");
 * closeGpu(gpu);
 * ```
 */
export async function twoWayCut(
  gpu: Gpu,
  features: Matrix,
  options: TwoWayCutOptions = {},
): Promise<TwoWayCut> {
  assertKnown("twoWayCut", options, { grid: true, cut: true, seed: true, signal: true, name: true });
  const { grid, cut, seed = 0, signal, name = "features" } = options;
  const n = features.rows;
  assertSeed(seed);
  if (!(n >= 2 && n <= MAX_TOKENS)) {
    throw new RangeError(
      `${name} has ${n} tokens: a two-way cut takes one image's, 2 to ${MAX_TOKENS}.`,
    );
  }
  if (grid && !(Number.isInteger(grid.rows) && grid.rows * grid.cols === n)) {
    throw new RangeError(
      `${name} has ${n} tokens, but the grid is ${grid.rows} × ${grid.cols}: leave out class token and registers.`,
    );
  }
  const found = cut ?? await normalizedCut(gpu, features, { components: Math.min(3, n), seed, signal, name });
  if (found.eigenvectors.rows !== n || found.eigenvectors.cols < Math.min(3, n)) {
    throw new RangeError(
      `The cut given for ${name} is ${found.eigenvectors.rows} × ${found.eigenvectors.cols}, expected ${n} × 3: ` +
        "solve it for the same tokens with 3 components.",
    );
  }
  const { data: e } = await affinityLessOne(gpu, features, signal);
  const sums = rowSums(e, n), degrees = sums.map((sum) => n + sum);
  const y = column(found.eigenvectors, 1), x = y.map((value, i) => value / Math.sqrt(degrees[i]));
  const split = smallestCut(e, sums, x);
  const { side, decidedBy, margin } = foregroundSide(split.above, x, grid);
  const [, second, third = 0] = found.eigenvalues;
  const evidence: CutEvidence = {
    twoValued: clamp((explained(split.above, degrees, y) - EVEN_SPREAD) / (1 - EVEN_SPREAD)),
    distinct: second > Math.max(NO_STRUCTURE, floorOf(sums, degrees)) ? clamp(1 - third / second) : 0,
    side: margin,
  };
  return {
    foreground: split.above.map((above) => Number(above === side)),
    ncut: split.ncut,
    threshold: split.threshold,
    eigenvalue: second,
    decidedBy,
    confidence: evidence.twoValued * evidence.distinct * evidence.side,
    evidence,
  };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function column({ data, rows, cols }: Matrix, c: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => data[i * cols + c]);
}

function rowSums(a: Float32Array, n: number): Float64Array {
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sums[i] += a[i * n + j];
  return sums;
}

/** ⟨q, y⟩², the share of the unit vector y that the two-valued vector q of the split explains. */
function explained(above: Uint8Array, degrees: Float64Array, y: Float64Array): number {
  const volumes = [0, 0];
  above.forEach((side, i) => volumes[side] += degrees[i]);
  const volume = volumes[0] + volumes[1];
  const values = [-Math.sqrt(volumes[1] / volumes[0]), Math.sqrt(volumes[0] / volumes[1])];
  let product = 0;
  above.forEach((side, i) => product += values[side] * Math.sqrt(degrees[i] / volume) * y[i]);
  return product ** 2;
}

/** Which side is the foreground, by which cue, and how far apart the sides are in it. */
function foregroundSide(
  above: Uint8Array,
  x: Float64Array,
  grid?: TwoWayCutOptions["grid"],
): { side: number; decidedBy: TwoWayCut["decidedBy"]; margin: number } {
  if (grid) {
    const tokens = [0, 0], onBorder = [0, 0];
    above.forEach((side, i) => {
      const row = Math.floor(i / grid.cols), col = i % grid.cols;
      tokens[side]++;
      onBorder[side] += Number(row === 0 || col === 0 || row === grid.rows - 1 || col === grid.cols - 1);
    });
    const shares = onBorder.map((count, side) => count / tokens[side]);
    if (shares[0] !== shares[1]) {
      const side = shares[1] < shares[0] ? 1 : 0;
      return { side, decidedBy: "border", margin: 1 - shares[side] / shares[1 - side] };
    }
  }
  const largest = [0, 0];
  above.forEach((side, i) => largest[side] = Math.max(largest[side], Math.abs(x[i])));
  const side = largest[1] > largest[0] ? 1 : 0;
  return { side, decidedBy: "largest entry", margin: 1 - largest[1 - side] / largest[side] };
}
