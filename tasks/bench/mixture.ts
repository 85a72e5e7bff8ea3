/** Inputs that every participant reads: mixtures of clusters, the same for the same seed. */
import { readNpy, writeNpy } from "../../src/data/formats/npy.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";

/**
 * n × d features: node i around centre i mod `clusters`, centres of unit variance, lengths 0.5 to 2.
 *
 * @param noise standard deviation around a centre
 */
export function mixture(n: number, d: number, clusters: number, noise: number, seed: number): Matrix {
  const random = seededRandom(seed);
  const centres = fillRandom(new Float32Array(clusters * d), random);
  const data = fillRandom(new Float32Array(n * d), random);
  for (let i = 0; i < n; i++) {
    const length = 0.5 + 1.5 * random(), centre = (i % clusters) * d;
    for (let c = 0; c < d; c++) {
      data[i * d + c] = length * (centres[centre + c] + noise * data[i * d + c]);
    }
  }
  return { data, rows: n, cols: d };
}

/** Writes a matrix. @returns its path */
export async function saveMatrix(path: string, { data, rows, cols }: Matrix): Promise<string> {
  await writeNpy(path, data, [rows, cols]);
  return path;
}

/**
 * Reads a matrix of float32.
 *
 * @throws TypeError "a.npy holds no matrix of float32."
 */
export async function loadMatrix(path: string): Promise<Matrix> {
  const { data, shape } = await readNpy(path);
  if (!(data instanceof Float32Array) || shape.length !== 2) {
    throw new TypeError(`${path} holds no matrix of float32.`);
  }
  return { data, rows: shape[0], cols: shape[1] };
}
