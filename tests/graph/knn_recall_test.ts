import { assert, assertEquals } from "@std/assert";
import { closeGpu, type Matrix, matrixSource, nearestNeighbors, openGpu } from "../../mod.ts";
import { chooseNeighborSearch, hnswSearch } from "../../src/pipeline/neighbor_search.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
const N = 300, D = 12, K = 5;

function changed(f: (value: number, row: number, column: number) => number, d = D): Matrix {
  const x = randomMatrix(N, d);
  return { ...x, data: x.data.map((v, at) => f(v, Math.floor(at / d), at % d)) };
}

/** Inputs whose cosines differ in digits that float32 has not. */
const HARD: Record<string, Matrix> = {
  "one vector and noise of 1e-3": changed((v, _, c) => 1 + Math.sin(c) + 1e-3 * v),
  "one vector and noise of 1e-3, 3 channels": changed((v, _, c) => 1 + Math.sin(c) + 1e-3 * v, 3),
  "one vector and noise of 1e-5": changed((v, _, c) => 1 + Math.sin(c) + 1e-5 * v),
  "a common offset of 1,000": changed((v) => v + 1000),
  "a common channel 1e4 times the rest": changed((v, _, c) => c === 3 ? 1e4 : v),
  "tight clusters": changed((v, row, c) => Math.sin((row % 4 + 1) * (c + 1)) + 1e-4 * v),
};

/** 1 − cos in float64, as |û − v̂|² / 2. */
function distances({ data, rows, cols }: Matrix, i: number, metric: string): Float64Array {
  const unit = (row: number) => {
    const v = Float64Array.from(data.subarray(row * cols, (row + 1) * cols));
    const length = metric === "cosine" ? Math.sqrt(v.reduce((sum, value) => sum + value * value, 0)) : 1;
    return v.map((value) => value / length);
  };
  const own = unit(i);
  return Float64Array.from(
    { length: rows },
    (_, j) => unit(j).reduce((sum, v, c) => sum + (v - own[c]) ** 2, 0),
  );
}

/** Share of the K nearest that were found, counting what is as near but for float32's rounding of a distance. */
function recall(x: Matrix, indices: Uint32Array, metric: string, isSelf: boolean): number {
  let hits = 0, count = 0;
  for (let i = 0; i < N; i += 7) {
    const all = distances(x, i, metric), sorted = all.filter((_, j) => isSelf || j !== i).sort();
    for (const j of indices.subarray(i * K, (i + 1) * K)) {
      hits += Number(all[j] <= sorted[K - 1] * (1 + 1e-5) + 1e-300);
      count++;
    }
  }
  return hits / count;
}

for (const metric of ["cosine", "euclidean"] as const) {
  Deno.test(`nearestNeighbors(), ${metric}, finds all of float64's neighbours among tokens that are nearly equal`, async (t) => {
    for (const [name, x] of Object.entries(HARD)) {
      await t.step(name, async () => {
        const { indices, similarities } = await nearestNeighbors(gpu, x, x, {
          k: K,
          metric,
          excludeSelf: true,
        });
        assertEquals(recall(x, indices, metric, false), 1, note);
        assert(similarities.every((value) => metric === "cosine" ? value > 0 && value <= 1 : value <= 0));
      });
    }
  });
}

Deno.test("hnswSearch() finds float64's neighbours among tokens that are nearly equal", async (t) => {
  for (const [name, x] of Object.entries(HARD)) {
    await t.step(name, async () => {
      const { indices } = await hnswSearch(x, K)(x);
      assert(recall(x, indices, "cosine", true) >= 0.99, note);
    });
  }
});

Deno.test("hnsw: where 96 % of the nodes are equal, the far groups get their own landmarks", async () => {
  const n = 4000, d = 16, centres = randomMatrix(3, d).data;
  const noise = randomMatrix(n, d, 1).data;
  const groupOf = (i: number) => i % 50 === 0 ? 1 : i % 50 === 1 ? 2 : 0;
  const data = Float32Array.from(
    { length: n * d },
    (_, at) => {
      const i = Math.floor(at / d), group = groupOf(i);
      return centres[group * d + at % d] + (group > 0 ? 0.02 * noise[at] : 0);
    },
  );
  const source = matrixSource({ data, rows: n, cols: d });
  const landmarks = Uint32Array.from({ length: 800 }, (_, i) => 5 * i + Number(i % 20 === 10));
  const features = {
    data: Float32Array.from({ length: 800 * d }, (_, at) => data[landmarks[Math.floor(at / d)] * d + at % d]),
    rows: 800,
    cols: d,
  };
  const fit = { landmarks: { indices: landmarks, features }, neighbors: 8, ivf: null, seed: 0 };
  const { search, reason, used } = await chooseNeighborSearch(gpu, fit, source, "hnsw");
  assertEquals(used, "hnsw", reason);
  const found = await search!({ data, rows: n, cols: d });
  for (let i = 0; i < n; i++) {
    assertEquals(groupOf(landmarks[found.indices[8 * i]]), groupOf(i), `node ${i}, ${note}`);
  }
});
