/** Unit rows with their mean taken out, in float64. */
import { assertMatrix, type Matrix } from "./matrix.ts";
import { assertRows } from "./row_normalize.ts";

/** Σ x² of a row below which some of its digits may be lost, or all of it. */
const SMALLEST = 2 ** -240;

/** Rows w_i = x_i / ‖x_i‖ − centre. */
export interface CentredRows {
  /** w, n × d. */
  rows: Matrix;
  /** What was taken out of every unit row, d values. */
  centre: Float64Array;
}

/**
 * w_i = u_i − m, u_i = x_i / ‖x_i‖ and m their mean: what tells rows apart that are nearly parallel.
 *
 * Distances are kept, |w_i − w_j|² = |u_i − u_j|² = 2 − 2 cos(x_i, x_j), and where all rows share a direction w is as small
 * as they are apart, so that float32 loses nothing of them. Norms, the mean and the difference are taken in float64: an
 * entry is off by its own rounding to float32 and by a few 1e-16.
 *
 * @param x n × d, any unit
 * @param name of x in error messages
 * @param centre taken out instead of the mean, to compare rows with others; d values
 * @returns w, and what was taken out
 * @throws RangeError naming the first row that is zero or not finite, or when the centre has another length
 *
 * Cost: 5 n d operations on the host.
 */
export function centredUnitRows(x: Matrix, name = "features", centre?: Float64Array): CentredRows {
  assertMatrix(x, name);
  const { data, rows, cols } = x;
  if (centre && centre.length !== cols) {
    throw new RangeError(`${name} has ${cols} channels, the centre ${centre.length}: they must be equal.`);
  }
  const inverse = inverseNorms(x, name);
  const mean = centre ?? meanOf(x, inverse);
  const out = new Float32Array(rows * cols);
  for (let i = 0, at = 0; i < rows; i++) {
    const scale = inverse[i];
    for (let k = 0; k < cols; k++, at++) out[at] = data[at] * scale - mean[k];
  }
  return { rows: { data: out, rows, cols }, centre: mean };
}

/** 1 / ‖x_i‖; squares of float32 neither overflow nor vanish in float64. */
function inverseNorms(x: Matrix, name: string): Float64Array {
  const { data, rows, cols } = x, inverse = new Float64Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    let squares = 0;
    for (const end = at + cols; at < end; at++) squares += data[at] * data[at];
    if (!(squares >= SMALLEST && squares < Infinity)) assertRows(x, name); // names the row
    inverse[i] = 1 / Math.sqrt(squares);
  }
  return inverse;
}

function meanOf({ data, rows, cols }: Matrix, inverse: Float64Array): Float64Array {
  const mean = new Float64Array(cols);
  for (let i = 0, at = 0; i < rows; i++) {
    const scale = inverse[i] / rows;
    for (let k = 0; k < cols; k++, at++) mean[k] += data[at] * scale;
  }
  return mean;
}
