/** The Nyström extension in float64: u_i = d_i^−½ Σ_k A_ik d_k^−½ u_k / λ with A_ik = exp(cos − 1), d_i = Σ_k A_ik. */
import type { Matrix } from "../../src/linalg/matrix.ts";

/** n × C vectors of `x` from those of the landmarks. */
export function nystromExtension(
  x: Matrix,
  landmarks: Matrix,
  eigenvectors: Matrix,
  eigenvalues: ArrayLike<number>,
): Float64Array {
  const n = x.rows, m = landmarks.rows, c = eigenvectors.cols;
  const affinity = (a: Matrix, i: number, b: Matrix, j: number) => {
    let product = 0, left = 0, right = 0;
    for (let k = 0; k < a.cols; k++) {
      const u = a.data[i * a.cols + k], v = b.data[j * b.cols + k];
      product += u * v;
      left += u * u;
      right += v * v;
    }
    return Math.exp(product / Math.sqrt(left * right) - 1);
  };
  const degree = (a: Matrix, i: number) => {
    let sum = 0;
    for (let j = 0; j < m; j++) sum += affinity(a, i, landmarks, j);
    return sum;
  };
  const root = Float64Array.from({ length: m }, (_, j) => 1 / Math.sqrt(degree(landmarks, j)));
  const out = new Float64Array(n * c);
  for (let i = 0; i < n; i++) {
    const own = 1 / Math.sqrt(degree(x, i));
    for (let j = 0; j < m; j++) {
      const weight = own * root[j] * affinity(x, i, landmarks, j);
      for (let k = 0; k < c; k++) out[i * c + k] += weight * eigenvectors.data[j * c + k] / eigenvalues[k];
    }
  }
  return out;
}
