/** Angles between subspaces, in float64 on the host. */
import { dot } from "./host_matrix.ts";
import type { Matrix } from "./matrix.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** What is left of a column, relative to its length, when it depends on those before it in float32. */
const DEPENDENT = 1e-6;

/** Orthonormal columns that span, one by one, what the columns of a matrix span. */
export interface ColumnBasis {
  /** C columns of n values each; those of dependent columns are zero. */
  columns: Float64Array[];
  /** Whether a column depends on those before it. */
  dependent: boolean[];
}

/**
 * Orthonormalises columns in their order (Gram–Schmidt, twice): the first c of the basis span the first c columns.
 *
 * @param x n × C
 */
export function columnBasis({ data, rows, cols }: Matrix): ColumnBasis {
  const basis: ColumnBasis = { columns: [], dependent: [] };
  for (let c = 0; c < cols; c++) {
    const column = Float64Array.from({ length: rows }, (_, i) => data[i * cols + c]);
    const length = Math.sqrt(dot(column, column));
    for (let pass = 0; pass < 2; pass++) {
      for (const q of basis.columns) addTo(column, -dot(q, column), q);
    }
    const rest = Math.sqrt(dot(column, column));
    const dependent = !(rest > DEPENDENT * length);
    basis.dependent.push(dependent);
    basis.columns.push(column.map((value) => dependent ? 0 : value / rest));
  }
  return basis;
}

/**
 * The principal angles between the spans of the first `count` columns of two bases (Björck & Golub 1973), from the sines,
 * which are accurate for small angles: the singular values of B − A (Aᵀ B).
 *
 * @param a, b of the same n
 * @returns `count` angles in radians, ascending; a dependent column of b counts as an angle of π/2
 *
 * Cost: 3 n count² operations.
 */
export function principalAngles(a: ColumnBasis, b: ColumnBasis, count: number): Float64Array {
  const outside = b.columns.slice(0, count).map((column) => {
    const rest = column.slice();
    for (const q of a.columns.slice(0, count)) addTo(rest, -dot(q, column), q);
    return rest;
  });
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) gram[i * count + j] = gram[j * count + i] = dot(outside[i], outside[j]);
    if (b.dependent[i]) gram[i * count + i] = 1;
  }
  const { values } = symmetricEigen(gram, count);
  return values.map((square) => Math.asin(Math.min(1, Math.sqrt(Math.max(0, square))))).reverse();
}

/** y ← y + factor · x. */
function addTo(y: Float64Array, factor: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] += factor * x[i];
}
