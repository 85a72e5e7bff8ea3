/** The inputs of the golden numbers, made by the same exact arithmetic as in normalized_cut.py. */
import type { Matrix } from "../../mod.ts";

/** Values (s >> 8) / 2²⁴ − ½ of the generator s ← 1664525 s + 1013904223 mod 2³². */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24 - 0.5;
  };
}

/** n nodes around the centres of groups of different sizes. */
function clusters(seed: number, n: number, d: number, groups: number, noise: number): Matrix {
  const next = generator(seed);
  const centres = Float64Array.from({ length: groups * d }, next);
  const data = Float32Array.from({ length: n * d }, (_, at) => {
    const i = Math.floor(at / d);
    const group = Math.min((7 * i) % groups, (5 * i) % (groups + 3));
    return centres[group * d + at % d] + noise * next();
  });
  return { data, rows: n, cols: d };
}

/** Nodes on a grid, every channel a quadratic of the position: a steep spectrum without clusters. */
function surface(seed: number, rows: number, cols: number, d: number): Matrix {
  const next = generator(seed);
  const c = Float64Array.from({ length: 6 * d }, next);
  const data = Float32Array.from({ length: rows * cols * d }, (_, at) => {
    const i = Math.floor(at / d), k = at % d;
    const u = (Math.floor(i / cols) - rows / 2) / 16, v = (i % cols - cols / 2) / 16;
    return c[k] + c[d + k] * u + c[2 * d + k] * v + c[3 * d + k] * u * u + c[4 * d + k] * u * v +
      c[5 * d + k] * v * v;
  });
  return { data, rows: rows * cols, cols: d };
}

/** Features by the name of their golden case. */
export const FEATURES: Record<string, () => Matrix> = {
  "clusters 300": () => clusters(1, 300, 32, 8, 0.5),
  "surface 600": () => surface(2, 24, 25, 48),
  "clusters 2500": () => clusters(3, 2500, 64, 20, 0.5),
};
