/** `fitSpace` in float64, from its equations alone. */
import { symmetricEigen } from "./symmetric_eigen.ts";

type Rows = Float64Array[];

interface Matrix {
  data: Float32Array;
  rows: number;
  cols: number;
}

/** X with A X = B, by elimination with pivots. */
function solve(a: Rows, b: Rows): Rows {
  const n = a.length, left = a.map((row) => row.slice()), right = b.map((row) => row.slice());
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(left[i][k]) > Math.abs(left[pivot][k])) pivot = i;
    [left[k], left[pivot], right[k], right[pivot]] = [left[pivot], left[k], right[pivot], right[k]];
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = left[i][k] / left[k][k];
      for (let j = k; j < n; j++) left[i][j] -= factor * left[k][j];
      for (let c = 0; c < right[i].length; c++) right[i][c] -= factor * right[k][c];
    }
  }
  return right.map((row, k) => row.map((value) => value / left[k][k]));
}

function product(a: Rows, b: Rows): Rows {
  return a.map((row) =>
    Float64Array.from(b[0], (_, c) => row.reduce((s, value, k) => s + value * b[k][c], 0))
  );
}

function transposed(a: Rows): Rows {
  return Array.from(a[0], (_, c) => Float64Array.from(a, (row) => row[c]));
}

function plus(a: Rows, shift: number): Rows {
  return a.map((row, i) => row.map((value, j) => value + (i === j ? shift : 0)));
}

function centred(rows: Rows): Rows {
  const means = rows[0].map((_, c) => rows.reduce((s, row) => s + row[c], 0) / rows.length);
  return rows.map((row) => row.map((value, c) => value - means[c]));
}

/** W with its penalty fixed; features and targets centred by their own means. */
function ridge(p: Rows, t: Rows, shift: number): Rows {
  return solve(plus(product(transposed(p), p), shift), product(transposed(p), t));
}

/** T, and per slot α and the shared and further transforms; `predict` for features less the means of those fitted on. */
export function space(
  slots: { width: number }[],
  pooled: Matrix,
  responses: Matrix,
  { components, alphas, gammas, ceiling, folds }: {
    components: number;
    alphas: number[];
    gammas: number[];
    ceiling?: number[];
    folds: { train: Uint32Array; held: Uint32Array }[];
  },
) {
  const n = pooled.rows,
    rowsOf = ({ data, cols }: Matrix) =>
      Array.from({ length: n }, (_, i) => Float64Array.from(data.subarray(i * cols, (i + 1) * cols)));
  const y = centred(rowsOf(responses));
  const weighted = y.map((row) => row.map((value, v) => value * Math.sqrt(ceiling?.[v] ?? 1)));
  const gram = product(weighted, transposed(weighted));
  const { values, vectors } = symmetricEigen(Float64Array.from(gram.flatMap((row) => [...row])), n);
  const t = Array.from({ length: n }, () => new Float64Array(components));
  for (let c = 0; c < components; c++) {
    const own = Array.from({ length: n }, (_, i) => vectors[i * n + c]);
    const most = own.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    for (let i = 0; i < n; i++) t[i][c] = Math.sign(most) * vectors[i * n + c] * values[c] ** 0.25;
  }
  let first = 0;
  const features = slots.map(({ width }) => {
    const own = centred(rowsOf(pooled)).map((row) => row.slice(first, first + width));
    first += width;
    return own;
  });
  const fits = features.map((p) => {
    const unit = p.reduce((s, row) => s + row.reduce((q, v) => q + v * v, 0), 0) / p[0].length;
    const errors = alphas.map((alpha) => {
      let error = 0;
      for (let i = 0; i < n; i++) { // an image left out, and all fitted without it
        const others = [...p.keys()].filter((j) => j !== i);
        const mean = (rows: Rows) =>
          rows[0].map((_, c) => others.reduce((s, j) => s + rows[j][c], 0) / (n - 1));
        const mp = mean(p),
          mt = mean(t),
          less = (row: Float64Array, m: Float64Array) => row.map((v, c) => v - m[c]);
        const w = ridge(others.map((j) => less(p[j], mp)), others.map((j) => less(t[j], mt)), alpha * unit);
        const [guess] = product([less(p[i], mp)], w);
        guess.forEach((value, c) => error += (t[i][c] - mt[c] - value) ** 2);
      }
      return error;
    });
    const alpha = alphas[errors.indexOf(Math.min(...errors))];
    const size = t.reduce((s, row) => s + row.reduce((q, v) => q + v * v, 0), 0);
    return { alpha, shift: alpha * unit, explained: 1 - Math.min(...errors) / size };
  });
  const h = Array.from({ length: n }, () => new Float64Array(n));
  features.forEach((p, l) => {
    const own = product(p, solve(plus(product(transposed(p), p), fits[l].shift), transposed(p)));
    own.forEach((row, i) => row.forEach((value, j) => h[i][j] += value / slots.length));
  });
  const errors = gammas.map(() => new Float64Array(components));
  for (const { train, held } of folds) {
    const mean = t[0].map((_, c) => [...train].reduce((s, i) => s + t[i][c], 0) / train.length);
    const kernel = [...train].map((i) => Float64Array.from(train, (j) => h[i][j]));
    gammas.forEach((gamma, k) => {
      const dual = solve(plus(kernel, gamma), [...train].map((i) => t[i].map((v, c) => v - mean[c])));
      for (const i of held) {
        const [guess] = product([Float64Array.from(train, (j) => h[i][j])], dual);
        guess.forEach((value, c) => errors[k][c] += (t[i][c] - mean[c] - value) ** 2);
      }
    });
  }
  const rest = t.map((row) => row.slice());
  for (let c = 0; c < components; c++) {
    const own = errors.map((error) => error[c]), gamma = gammas[own.indexOf(Math.min(...own))];
    const dual = solve(plus(h, gamma), t.map((row) => Float64Array.of(row[c])));
    dual.forEach(([value], i) => rest[i][c] = value - t[i][c]);
  }
  const norm = (rows: Rows) => Math.sqrt(rows.reduce((s, row) => s + row.reduce((q, v) => q + v * v, 0), 0));
  const beside = 0.1 * norm(t) / norm(rest);
  const shared = features.map((p, l) => ridge(p, t, fits[l].shift));
  const further = features.map((p, l) =>
    ridge(p, rest, fits[l].shift).map((row) => row.map((v) => v * beside))
  );
  // What of the responses T is nearest to.
  const beta = solve(plus(product(transposed(t), t), 0), product(transposed(t), y));
  const fitted = features.map((p, l) => {
    const [a, b] = [product(p, shared[l]), product(p, further[l])];
    return a.map((row, i) => row.map((value, c) => (value + b[i][c] / beside) / slots.length));
  }).reduce((sum, own) => sum.map((row, i) => row.map((value, c) => value + own[i][c])));
  return { t, fits, shared, further, fitted: product(fitted, beta) };
}
