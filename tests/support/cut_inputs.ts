/** Inputs of normalised cuts. */
import type { Matrix } from "../../mod.ts";
import { randomMatrix } from "./random.ts";

export function repeated(row: number[], n: number): Matrix {
  const data = Float32Array.from({ length: n * row.length }, (_, at) => row[at % row.length]);
  return { data, rows: n, cols: row.length };
}

/** Orthogonal rows: all cosines 0. */
export function oneChannelEach(n: number): Matrix {
  const data = Float32Array.from({ length: n * n }, (_, at) => Number(at % (n + 1) === 0));
  return { data, rows: n, cols: n };
}

export function rowsOf(x: Matrix, order: ArrayLike<number>): Matrix {
  const data = new Float32Array(order.length * x.cols);
  for (let to = 0; to < order.length; to++) {
    data.set(x.data.subarray(order[to] * x.cols, (order[to] + 1) * x.cols), to * x.cols);
  }
  return { data, rows: order.length, cols: x.cols };
}

/** Nodes in tight groups, the spectrum's one wide gap after as many eigenvalues as there are groups. */
export function grouped(n: number, groups: number, d: number, noise: number): Matrix {
  const centres = randomMatrix(groups, d, 1), x = randomMatrix(n, d);
  x.data = x.data.map((v, at) => centres.data[(Math.floor(at / d) % groups) * d + at % d] + noise * v);
  return x;
}
