import { assert, assertEquals } from "@std/assert";
import { MAX_COMPONENTS } from "../../src/align/eigen_constraint.ts";
import { MAX_PAIRS } from "../../src/embed/descent.ts";
import { SLICE as POINTS_A_SLICE } from "../../src/embed/exact_repulsion.ts";
import { RUN as ROWS_OF_FREQUENCIES } from "../../src/embed/grid_kernels.ts";
import { LONGEST as VEC4_A_ROW, SLICE as AFFINITY_SLICE } from "../../src/graph/affinity.ts";
import { MAX_GROUPS, MAX_POINTS as MAX_SAMPLED } from "../../src/graph/farthest_point.ts";
import { DISTANCE_SLICE, MAX_K, TILE } from "../../src/graph/knn.ts";
import { MAX_NEIGHBORS } from "../../src/graph/propagate.ts";
import { MAX_ROWS } from "../../src/linalg/conjugate_gradients.ts";
import { GROUP, MAX_SLABS } from "../../src/linalg/matmul.ts";
import { RUN } from "../../src/linalg/product.ts";
import { LONGEST_PART } from "../../src/linalg/row_parts.ts";
import { MAX_NEIGHBORS as MAX_IN_PERPLEXITY } from "../../src/embed/joint_probabilities.ts";

/** Mesa's software adapter ends the loops of an invocation, silently, after a number of rounds of all of them together. */
const LIMIT = 65_535;
const BY_64 = 64;
const COLUMNS = TILE.hardware.columns, HEAP = Math.ceil(Math.log2(MAX_K)) + 1;
const VECTORS = (MAX_COMPONENTS + 4) / 4;

/**
 * Loops of every shader in the order of its text: the condition to go on, and the most rounds of it that an invocation makes in all, those
 * within other loops multiplied out, at the largest shape that the functions of src dispatch. Loops marked `// unrolled` are
 * none once compiled.
 */
const ROUNDS: Record<string, [condition: string, rounds: number][]> = {
  adamw: [],
  affine_rows: [["k < min((id.y + 1) * RUN, params.stride)", BY_64]],
  // with DEGREES, then without
  affinity_gradient: [
    ["run < params.nodes", Math.ceil(MAX_ROWS / BY_64)],
    ["j < min(run + RUN, params.nodes)", MAX_ROWS],
    ["j < min((id.y + 1) * RUN, params.stride)", BY_64],
  ],
  brain_loss: [["k < min((id.y + 1) * RUN, params.stride)", BY_64]],
  cg_step: [
    ["run < params.rows", Math.ceil(MAX_ROWS / BY_64)],
    ["i < min(run + RUN, params.rows)", MAX_ROWS],
    ["run < params.rows", Math.ceil(MAX_ROWS / BY_64)],
    ["i < min(run + RUN, params.rows)", MAX_ROWS],
    ["i < params.rows", MAX_ROWS],
  ],
  combine: [],
  covariance_loss: [["k < min((id.y + 1) * RUN, params.stride)", BY_64]],
  farthest_point: [["g < params.groups", MAX_GROUPS], ["i < params.n", MAX_SAMPLED / (MAX_GROUPS * 64)], [
    "l < WORKGROUP",
    64,
  ]],
  fft: [],
  // main, then main_shared
  matmul: [
    ["run < k_end", GROUP / RUN],
    ["k < min(run + RUN / 4, k_end)", Math.max(GROUP / 4, AFFINITY_SLICE)],
    ["run < k_end", GROUP / RUN],
    ["k < min(run + RUN, k_end)", GROUP / 16],
    ["s < DEPTH", GROUP / 4],
  ],
  perplexity: [
    ["i < params.k", MAX_IN_PERPLEXITY],
    ["step < STEPS", 64],
    ["i < params.k", 64 * MAX_IN_PERPLEXITY],
    ["i < params.k", MAX_IN_PERPLEXITY],
    ["i < params.k", MAX_IN_PERPLEXITY],
  ],
  pick_rows: [["row < min(begin + EACH, params.rows)", 16]],
  projector_difference: [["j < min((id.y + 1) * RUN, params.stride)", BY_64], [
    "k < params.after_stride",
    BY_64 * VECTORS,
  ], ["k < params.before_stride", BY_64 * VECTORS]],
  propagate: [["i < params.k", MAX_NEIGHBORS]],
  residual_squares: [["r < min((id.x + 1) * RUN, params.rows)", BY_64]],
  row_normalize: [["k < params.end", LONGEST_PART], ["run < params.end", LONGEST_PART / BY_64], [
    "k < min(run + RUN, params.end)",
    LONGEST_PART,
  ], [
    "k < params.end",
    LONGEST_PART,
  ]],
  // the loops with HALF_SQUARES come first: fewer, and instead of the others
  row_sum: [
    ["slice < params.end", 0],
    ["k < min(slice + SLICE, params.end)", 0],
    ["slice < params.end", VEC4_A_ROW / 256],
    ["run < min(slice + SLICE, params.end)", VEC4_A_ROW / 16],
    ["k < min(run + RUN, params.end)", VEC4_A_ROW],
  ],
  squared_distance: [["k < params.end", DISTANCE_SLICE]],
  sum_slabs: [["run < params.end", MAX_SLABS / BY_64], ["s < min(run + RUN, params.end)", MAX_SLABS]],
  // an entry sinks for every column, and for every place of the list when it is sorted
  top_k: [
    ["loop", HEAP * (COLUMNS + MAX_K)],
    ["i < params.k", MAX_K],
    ["q < quads", COLUMNS / 4],
    ["while", COLUMNS / 4],
    ["c < 4", COLUMNS],
    ["size > 1", MAX_K],
  ],
  tsne_charges: [],
  tsne_convolve: [["row < min((id.y + 1) * RUN, params.rows)", ROWS_OF_FREQUENCIES]],
  tsne_gather: [],
  tsne_repulsion: [["j < end", POINTS_A_SLICE]],
  tsne_spread: [],
  tsne_step: [["s < PARTIALS", 64], ["at < end", MAX_PAIRS / 2]],
};

/** Conditions of a shader's loops, "while" and "loop" for those, but for loops that are written out before compiling. */
function loopsOf(code: string): string[] {
  const lines = code.split("\n").filter((line) => !/\/\/ unrolled$/.test(line));
  return lines.flatMap((line) => {
    const match = /^\s*(?:for \(var [^;]*; ([^;]*);|(while)\b|(loop)\b)/.exec(line.replace(/\/\/.*$/, ""));
    return match ? [match[1] ?? match[2] ?? match[3]] : [];
  });
}

Deno.test("every loop of every shader ends below the software adapter's 65,535 rounds at the largest shape", () => {
  const folder = new URL("../../shaders/", import.meta.url);
  const shaders = [...Deno.readDirSync(folder)].map(({ name }) => name.replace(/\.wgsl$/, "")).sort();
  assertEquals(shaders, Object.keys(ROUNDS).sort(), "every shader has its rounds here");
  for (const shader of shaders) {
    const code = Deno.readTextFileSync(new URL(`${shader}.wgsl`, folder));
    assertEquals(loopsOf(code), ROUNDS[shader].map(([condition]) => condition), `loops of ${shader}.wgsl`);
    const rounds = ROUNDS[shader].reduce((sum, [, count]) => sum + count + 1, 0);
    assert(rounds < LIMIT, `${shader}.wgsl: ${rounds} rounds`);
  }
});
