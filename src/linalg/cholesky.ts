/** Cholesky factors of symmetric positive definite matrices, and systems solved with them. */
import type { Gpu } from "../gpu/mod.ts";
import { multiply } from "./matmul.ts";
import { allocateMatrix, downloadAndRelease, type GpuMatrix, releaseMatrix, rowView } from "./matrix.ts";
import { uploadSmall } from "./orthonormalize.ts";

/** Rows of a diagonal block, which the host factors in float64 while panels stay on the GPU. */
const BLOCK = 128;
/** A pivot below this share of its diagonal entry is what rounding to float32 leaves of zero. */
const LOST = 2 ** -21;

/** L with L Lᵀ = A + shift · I, on the GPU in block columns. Free it with `releaseFactor`. */
export interface CholeskyFactor {
  /** Rows and columns of A. */
  size: number;
  /** What was added to the diagonal. */
  shift: number;
  /** Block columns of L, each n × 128 or fewer; rows above and inside the diagonal block are not part of L. */
  panels: GpuMatrix[];
  /** −L_kk⁻¹ of every diagonal block. */
  inverses: GpuMatrix[];
}

/** Gives a factor's buffers back for reuse. */
export function releaseFactor(gpu: Gpu, { panels, inverses }: CholeskyFactor): void {
  releaseMatrix(gpu, ...panels, ...inverses);
}

/**
 * L with L Lᵀ = A + shift · I for every shift, block column by block column (right-looking): the host factors the
 * diagonal block in float64, `multiply` makes the panel below it and takes L_k L_kᵀ off the block columns to its right.
 *
 * @param a n × n, symmetric; stays as it is
 * @param shifts added to the diagonal in float64; their factorisations share every wait for the device
 * @returns one factor a shift
 * @throws Error "A + 0 · I (20 × 20) is not positive definite in float32: …" naming the row
 *
 * Cost: n³ / 3 multiplications and n² values of memory a shift, n / 128 waits in all.
 */
export async function cholesky(
  gpu: Gpu,
  a: GpuMatrix,
  shifts: readonly number[] = [0],
): Promise<CholeskyFactor[]> {
  const n = a.rows;
  if (a.cols !== n) {
    throw new RangeError(`${a.label} is ${n} × ${a.cols}: only a square matrix has a Cholesky factor.`);
  }
  const blocks = Math.ceil(n / BLOCK);
  const factors: CholeskyFactor[] = shifts.map((shift) => ({ size: n, shift, panels: [], inverses: [] }));
  const minus = scaledIdentity(gpu, Math.min(BLOCK, n), -1);
  const minusLast = n % BLOCK && blocks > 1 ? scaledIdentity(gpu, n % BLOCK, -1) : minus;
  const identityOf = (block: number) => block === blocks - 1 ? minusLast : minus;
  try {
    for (const factor of factors) {
      for (let k = 0; k < blocks; k++) {
        // Rows of the symmetric A as columns, negated: the updates then only add.
        factor.panels.push(multiply(gpu, blockOf(a, k, n), identityOf(k), { transposeA: true }));
      }
    }
    const cornerOf = ({ panels }: CholeskyFactor, k: number) =>
      multiply(gpu, blockOf(panels[k], k, n), identityOf(k));
    const untouched = await downloadAndRelease(
      gpu,
      Array.from({ length: factors.length && blocks }, (_, k) => cornerOf(factors[0], k)),
    );
    const diagonal = untouched.flatMap(({ data, rows }) =>
      Array.from({ length: rows }, (_, i) => data[i * rows + i])
    );
    for (let k = 0; k < blocks; k++) {
      const first = k * BLOCK, size = Math.min(BLOCK, n - first), below = n - first - size;
      const corners = k === 0
        ? factors.map(() => untouched[0])
        : await downloadAndRelease(gpu, factors.map((factor) => cornerOf(factor, k)));
      factors.forEach((factor, at) => {
        const block = Float64Array.from(corners[at].data);
        for (let i = 0; i < size; i++) block[i * size + i] += factor.shift;
        const inverse = negatedInverseFactor(block, size, (row, pivot) => {
          const own = diagonal[first + row] + factor.shift;
          if (pivot > LOST * own && Number.isFinite(pivot)) return;
          throw new Error(
            `${a.label} + ${factor.shift} · I (${n} × ${n}) is not positive definite in float32: ` +
              `${pivot.toExponential(1)} is left of entry ${own.toExponential(1)} in row ${first + row}; ` +
              "leave out columns that depend on others, or add more to the diagonal.",
          );
        });
        const gpuInverse = uploadSmall(gpu, inverse, size, size, "inverse of a diagonal block");
        factor.inverses.push(gpuInverse);
        if (below === 0) return;
        const remainder = factor.panels[k];
        const panel = allocateMatrix(gpu, n, size, "Cholesky panel");
        factor.panels[k] = panel;
        const rows = rowView(panel, first + size, below);
        multiply(gpu, rowView(remainder, first + size, below), gpuInverse, { transposeB: true, out: rows });
        releaseMatrix(gpu, remainder);
        for (let j = k + 1; j < blocks; j++) {
          const from = rowView(panel, j * BLOCK, n - j * BLOCK);
          multiply(gpu, from, blockOf(panel, j, n), {
            transposeB: true,
            out: rowView(factor.panels[j], j * BLOCK, n - j * BLOCK),
            accumulate: true,
          });
        }
      });
    }
    return factors;
  } catch (error) {
    for (const factor of factors) releaseFactor(gpu, factor);
    throw error;
  } finally {
    releaseMatrix(gpu, ...new Set([minus, minusLast]));
  }
}

/**
 * X with L Lᵀ X = B, by block-wise substitution forwards and backwards.
 *
 * @param factor of the n × n matrix
 * @param b right sides, n × r; overwritten
 * @returns X, n × r
 *
 * Cost: 2 n² r multiplications, no wait for the device.
 */
export function solveCholesky(
  gpu: Gpu,
  { size: n, panels, inverses }: CholeskyFactor,
  b: GpuMatrix,
): GpuMatrix {
  if (b.rows !== n) {
    throw new RangeError(`The right sides have ${b.rows} rows, the matrix ${n}: they must be equal.`);
  }
  const rowsBelow = (matrix: GpuMatrix, block: number) =>
    rowView(matrix, (block + 1) * BLOCK, n - (block + 1) * BLOCK);
  const minusY = allocateMatrix(gpu, n, b.cols, "forward substitution");
  for (let k = 0; k < panels.length; k++) {
    const own = blockOf(minusY, k, n);
    multiply(gpu, inverses[k], blockOf(b, k, n), { out: own });
    if (k === panels.length - 1) continue;
    multiply(gpu, rowsBelow(panels[k], k), own, { out: rowsBelow(b, k), accumulate: true });
  }
  const x = allocateMatrix(gpu, n, b.cols, "solution");
  for (let k = panels.length - 1; k >= 0; k--) {
    const own = blockOf(minusY, k, n);
    if (k < panels.length - 1) {
      multiply(gpu, rowsBelow(panels[k], k), rowsBelow(x, k), {
        transposeA: true,
        out: own,
        accumulate: true,
      });
    }
    multiply(gpu, inverses[k], own, { transposeA: true, out: blockOf(x, k, n) });
  }
  releaseMatrix(gpu, minusY);
  return x;
}

/** Rows of one block. */
function blockOf(matrix: GpuMatrix, block: number, n: number): GpuMatrix {
  return rowView(matrix, block * BLOCK, Math.min(BLOCK, n - block * BLOCK));
}

function scaledIdentity(gpu: Gpu, n: number, scale: number): GpuMatrix {
  const values = new Float64Array(n * n);
  for (let i = 0; i < n; i++) values[i * n + i] = scale;
  return uploadSmall(gpu, values, n, n, "scaled identity");
}

/**
 * −L⁻¹ of L Lᵀ = block in float64.
 *
 * @param check called with every row's remaining pivot, and throws
 */
function negatedInverseFactor(
  block: Float64Array,
  n: number,
  check: (row: number, pivot: number) => void,
): Float64Array {
  const l = new Float64Array(n * n), inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = block[i * n + j];
      for (let k = 0; k < j; k++) rest -= l[i * n + k] * l[j * n + k];
      if (j === i) check(i, rest);
      l[i * n + j] = j < i ? rest / l[j * n + j] : Math.sqrt(rest);
    }
  }
  for (let j = 0; j < n; j++) {
    inverse[j * n + j] = -1 / l[j * n + j];
    for (let i = j + 1; i < n; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum += l[i * n + k] * inverse[k * n + j];
      inverse[i * n + j] = -sum / l[i * n + i];
    }
  }
  return inverse;
}
