/** The eigenvalues that vectors would have. */
import type { Gpu } from "../gpu/mod.ts";
import { assertKnown } from "../linalg/check_options.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { releaseUnitRows, uploadUnitRows } from "./affinity.ts";
import { affinityOperator } from "./affinity_operator.ts";

/**
 * ρ_c = x_cᵀ M x_c / x_cᵀ x_c for the columns of a matrix, M = D^−½ A D^−½: of an eigenvector its eigenvalue, of a vector
 * at angle θ from it off by O(θ²).
 *
 * @param features n × d, the nodes of the graph
 * @param vectors n × C, no column zero
 * @param options `signal`: stops the work, which then rejects with the signal's reason
 * @returns C quotients
 * @throws RangeError when the rows differ in number, a column is zero, or naming a node that is zero or not finite
 *
 * Cost: makes the affinity twice, 2 n² (2 d + C) operations.
 */
export async function rayleighQuotients(
  gpu: Gpu,
  features: Matrix,
  vectors: Matrix,
  options: { signal?: AbortSignal } = {},
): Promise<Float64Array> {
  assertKnown("rayleighQuotients", options, { signal: true });
  options.signal?.throwIfAborted();
  const { data, rows, cols } = vectors;
  if (features.rows !== rows) {
    throw new RangeError(`There are ${features.rows} nodes and ${rows} rows of vectors: they must be equal.`);
  }
  const nodes = uploadUnitRows(gpu, features);
  const x = uploadMatrix(gpu, vectors, "vectors"), image = allocateMatrix(gpu, rows, cols, "M · vectors");
  let operator;
  try {
    operator = await affinityOperator(gpu, nodes, { storage: "tiled" });
    options.signal?.throwIfAborted();
    operator.apply(x, image);
    const { data: applied } = await downloadMatrix(gpu, image);
    const { first } = operator; // the operator lacks the first eigenvector, of eigenvalue 1
    return Float64Array.from({ length: cols }, (_, c) => {
      let product = 0, squares = 0, along = 0;
      for (let i = 0; i < rows; i++) {
        const value = data[i * cols + c];
        product += value * applied[i * cols + c];
        squares += value * value;
        along += value * first[i];
      }
      if (!(squares > 0)) {
        throw new RangeError(`Column ${c} is zero or not finite: it has no Rayleigh quotient.`);
      }
      return (product + along ** 2) / squares;
    });
  } finally {
    operator?.release();
    releaseUnitRows(gpu, nodes);
    releaseMatrix(gpu, x, image);
  }
}
