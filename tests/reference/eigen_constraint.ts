import { affinity as affinityOf } from "./affinity.ts";
import { affinityGradient } from "./affinity_gradient.ts";
import { normalizedCut } from "./normalized_cut.ts";
import { projectorDifference } from "./projector_difference.ts";
import { rowNormalize } from "./row_normalize.ts";
import { rowNormalizeGradient } from "./row_normalize_gradient.ts";

/** The eigenvectors of the features before alignment that the constraint holds on to. */
export interface Kept {
  /** n × C. */
  eigenvectors: Float64Array;
  /** A_b, n × n. */
  affinity: Float64Array;
}

/** The first `components` eigenvectors of n nodes with d channels, and their affinity. */
export function keep(x: ArrayLike<number>, n: number, d: number, components: number): Kept {
  return {
    eigenvectors: leading(normalizedCut(x, n, d).vectors, n, components),
    affinity: affinityOf(x, n, x, n, d),
  };
}

function leading(vectors: Float64Array, n: number, c: number): Float64Array {
  return Float64Array.from({ length: n * c }, (_, at) => vectors[Math.floor(at / c) * n + at % c]);
}

/**
 * L_eigen and its gradient with respect to the features after alignment, in float64 (METHOD, "Eigen-constraint"): the linear
 * systems (λ_i I − M) z_i = (I − P) G x_i are solved by all eigenpairs.
 */
export function eigenConstraint(
  x: ArrayLike<number>,
  n: number,
  d: number,
  components: number,
  before: Kept,
  focal: boolean,
): { loss: number; gradient: Float64Array } {
  const { values, vectors, degrees } = normalizedCut(x, n, d);
  const a = affinityOf(x, n, x, n, d);
  const { difference, square } = projectorDifference(
    leading(vectors, n, components),
    before.eigenvectors,
    before.affinity,
    n,
    focal,
  );
  const loss = Math.sqrt(square);
  const product = new Float64Array(n * n); // Z Xᵀ
  for (let c = 0; c < components; c++) {
    const right = new Float64Array(n), z = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) right[i] += difference[i * n + j] / loss * vectors[j * n + c];
    }
    for (let k = components; k < n; k++) {
      let along = 0;
      for (let i = 0; i < n; i++) along += vectors[i * n + k] * right[i];
      for (let i = 0; i < n; i++) z[i] += along / (values[c] - values[k]) * vectors[i * n + k];
    }
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) product[i * n + j] += z[i] * vectors[j * n + c];
  }
  const t = affinityGradient(a, product, degrees), unit = rowNormalize(x, n, d);
  const ofUnit = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < d; k++) ofUnit[i * d + k] += t[i * n + j] * unit[j * d + k];
    }
  }
  return { loss, gradient: rowNormalizeGradient(x, ofUnit, n, d) };
}
