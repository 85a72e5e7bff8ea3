/** Conjugate gradients for a block of systems that share their operator and differ by a shift. */
import code from "../../shaders/cg_step.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import { combine } from "./combine.ts";
import { allocateMatrix, downloadMatrix, type GpuMatrix, releaseMatrix, uploadMatrix } from "./matrix.ts";
import { projectOut } from "./orthonormalize.ts";
import type { SymmetricOperator } from "./ritz_pairs.ts";

const CG_STEP: Kernel = { label: "cg_step", code };
const WORKGROUP = 16;
/** Steps between two looks at the residuals: each look waits for the device. */
const STEPS = 16;
/** Rows of a system: a step runs over them three times, and Mesa's software adapter ends an invocation's loops after 65535 rounds. */
export const MAX_ROWS = 20_000;

/** The solution of a block of systems. */
export interface BlockSolution {
  /** n × c; to be released. */
  z: GpuMatrix;
  /** Steps taken. */
  steps: number;
  /** Largest ‖r_c‖ / ‖b_c‖ over the columns. */
  residual: number;
}

/**
 * Solves (λ_c I − M) z_c = b_c for all columns at once, within the complement of a basis on which λ_c I − M is positive
 * definite (Hestenes & Stiefel 1952; one application of M to the block a step).
 *
 * @param operator M, symmetric
 * @param shifts λ_c, one a column of b
 * @param b n × c in one panel, orthogonal to the basis
 * @param basis orthonormal columns that M maps to their own span; z is kept orthogonal to them
 * @param options stop at a relative residual `tolerance`, or after `maxSteps`
 * @returns the solution with its residual, which may be above the tolerance; Infinity where it is no number
 * @throws RangeError for more than 20,000 rows
 */
export async function solveShifted(
  gpu: Gpu,
  operator: SymmetricOperator,
  shifts: Float64Array,
  b: GpuMatrix,
  basis: GpuMatrix,
  { tolerance = 1e-5, maxSteps = 256 }: { tolerance?: number; maxSteps?: number } = {},
): Promise<BlockSolution> {
  const { rows, cols, stride } = b;
  if (rows > MAX_ROWS) {
    throw new RangeError(
      `Conjugate gradients take systems of at most ${MAX_ROWS} rows, not ${rows}: sample fewer nodes.`,
    );
  }
  const host = await downloadMatrix(gpu, b);
  const begin = new Float32Array(cols);
  for (let at = 0; at < host.data.length; at++) begin[at % cols] += host.data[at] ** 2;
  const z = uploadMatrix(gpu, { data: new Float32Array(rows * cols), rows, cols }, "solution");
  const r = allocateMatrix(gpu, rows, cols, "residual"), p = allocateMatrix(gpu, rows, cols, "direction");
  combine(gpu, r, [1, b]);
  combine(gpu, p, [1, b]);
  const vectors = [
    Float32Array.from(shifts),
    begin.map((square) => square * tolerance ** 2),
    begin,
  ];
  const [shift, floor, squares] = vectors.map((data) => {
    const buffer = allocate(gpu, cols * 4, "values of columns");
    writeBuffer(gpu, buffer, data);
    return buffer;
  });
  let steps = 0, residual = 1;
  try {
    while (steps < maxSteps && residual > tolerance) {
      for (let i = 0; i < STEPS; i++, steps++) {
        let image = allocateMatrix(gpu, rows, cols, "M · direction");
        operator.apply(p, image);
        image = projectOut(gpu, image, [basis]);
        dispatch(gpu, CG_STEP, {
          buffers: [image.panels[0], shift, floor, z.panels[0], r.panels[0], p.panels[0], squares],
          params: { rows, cols, stride },
          workgroups: [Math.ceil(cols / WORKGROUP)],
          sizes: `${rows} × ${cols}`,
        });
        releaseMatrix(gpu, image);
      }
      const [bytes] = await readBuffers(gpu, [{ buffer: squares, bytes: cols * 4 }]);
      const now = new Float32Array(bytes);
      const shares = now.map((square, c) => begin[c] > 0 ? Math.sqrt(square / begin[c]) : 0);
      residual = shares.reduce((most, share) => Math.max(most, share), 0);
      if (!(residual >= 0)) {
        throw new Error("Conjugate gradients met NaN: the right side or the operator is not finite.");
      }
    }
    return { z, steps, residual };
  } catch (error) {
    releaseMatrix(gpu, z);
    throw error;
  } finally {
    releaseMatrix(gpu, r, p);
    for (const buffer of [shift, floor, squares]) release(gpu, buffer);
  }
}
