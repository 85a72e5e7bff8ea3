/** The orthonormal columns nearest to given ones. */
import { assertMatrix, type Matrix } from "./matrix.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** Smallest eigenvalue of the Gram matrix of unit columns that float32 columns can be trusted to have. */
const DEPENDENT = 1e-8;

/**
 * X (XᵀX)^−½ (Löwdin 1950): orthonormal columns with the same span, of all such the nearest to the columns of X scaled
 * to unit length, so that none is preferred and signs stay.
 *
 * @param x n × c, c small
 * @returns n × c
 * @throws RangeError when a value is not finite, or columns depend on each other
 *
 * Cost: 2 n c² operations, in float64 on the host.
 */
export function orthogonalizeColumns(x: Matrix): Matrix {
  assertMatrix(x, "columns");
  const { data, rows, cols } = x, wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new RangeError(
      `columns: row ${Math.floor(wrong / cols)} has ${data[wrong]} in column ${
        wrong % cols
      }; every value must be finite.`,
    );
  }
  const gram = gramMatrix(x);
  const lengths = Float64Array.from({ length: cols }, (_, c) => Math.sqrt(gram[c * cols + c]));
  const cosines = gram.map((value, at) => value / (lengths[Math.floor(at / cols)] * lengths[at % cols]));
  if (!lengths.every((length) => length > 0)) throw new RangeError("A column to orthogonalize is zero.");
  const { values, vectors } = symmetricEigen(cosines, cols);
  if (!(values[cols - 1] > DEPENDENT)) {
    throw new RangeError(
      `The ${cols} columns depend on each other: ask for fewer components, or more landmarks.`,
    );
  }
  const mixing = new Float64Array(cols * cols); // diag(1 / lengths) · V diag(1 / √values) Vᵀ
  for (let r = 0; r < cols; r++) {
    for (let c = 0; c < cols; c++) {
      for (let e = 0; e < cols; e++) {
        mixing[r * cols + c] += vectors[r * cols + e] * vectors[c * cols + e] / Math.sqrt(values[e]);
      }
      mixing[r * cols + c] /= lengths[r];
    }
  }
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++) {
      let sum = 0;
      for (let r = 0; r < cols; r++) sum += data[i * cols + r] * mixing[r * cols + c];
      out[i * cols + c] = sum;
    }
  }
  return { data: out, rows, cols };
}

function gramMatrix({ data, rows, cols }: Matrix): Float64Array {
  const gram = new Float64Array(cols * cols);
  for (let i = 0; i < rows; i++) {
    for (let r = 0; r < cols; r++) {
      const value = data[i * cols + r];
      for (let c = 0; c <= r; c++) gram[r * cols + c] += value * data[i * cols + c];
    }
  }
  for (let r = 0; r < cols; r++) for (let c = 0; c < r; c++) gram[c * cols + r] = gram[r * cols + c];
  return gram;
}
