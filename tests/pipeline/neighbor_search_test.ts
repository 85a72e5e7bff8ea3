import { assert, assertEquals, assertMatch } from "@std/assert";
import { closeGpu, nearestNeighbors, openGpu } from "../../mod.ts";
import { chooseNeighborSearch, hnswSearch, recallOf } from "../../src/pipeline/neighbor_search.ts";
import { matrixSource } from "../../src/graph/node_source.ts";
import { assertClose } from "../support/assert_close.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

/** As much of a fit as a search needs. */
function fitOn(n: number, d: number, groups: number, noise: number) {
  const features = clusteredNodes(n, d, groups, noise, testSeed);
  return { landmarks: { indices: new Uint32Array(n), features }, neighbors: 10, ivf: null, seed: 0 };
}

Deno.test("hnswSearch() finds the landmarks that the exact search finds, nearest first, with their affinities", async () => {
  const gpu = await openGpu();
  const landmarks = clusteredNodes(500, 12, 10, 0.5, testSeed),
    panel = clusteredNodes(200, 12, 10, 0.5, testSeed + 1);
  const found = await hnswSearch(landmarks, 7)(panel);
  const truth = await nearestNeighbors(gpu, panel, landmarks, { k: 7 });
  assert(recallOf(found, truth) > 0.99, `seed ${testSeed}`);
  const both = [...found.indices.keys()].flatMap((at) => {
    const row = at - at % 7, same = truth.indices.subarray(row, row + 7).indexOf(found.indices[at]);
    return same < 0 ? [] : [[found.similarities[at], truth.similarities[row + same]]];
  });
  const [own, exact] = [0, 1].map((side) => both.map((pair) => pair[side]));
  assertClose(own, exact, { relative: 1e-5, note: `seed ${testSeed}` });
  assert(found.similarities.every((value, at) => at % 7 === 0 || value <= found.similarities[at - 1]));
  closeGpu(gpu);
});

Deno.test("recallOf() counts what was found of the true neighbours, and ties with the farthest", () => {
  const lists = (indices: number[], similarities: number[]) => ({
    indices: Uint32Array.from(indices),
    similarities: Float32Array.from(similarities),
    k: 2,
  });
  const truth = lists([4, 7, 1, 2], [0.9, 0.5, 0.8, 0.5]);
  assertEquals(recallOf(truth, truth), 1);
  assertEquals(recallOf(lists([4, 9, 1, 3], [0.9, 0.25, 0.8, 0.5]), truth), 0.75);
  assertEquals(recallOf(lists([4, 0, 1, 0], [0.9, 0, 0.8, 0]), truth), 0.5);
});

Deno.test("chooseNeighborSearch() uses what was asked for, and says what it measured", async () => {
  const gpu = await openGpu();
  const fit = fitOn(400, 9, 10, 0.3), source = matrixSource(clusteredNodes(900, 9, 10, 0.3, testSeed + 1));
  const exact = await chooseNeighborSearch(gpu, fit, source, "exact");
  assertEquals([exact.used, exact.search, exact.recall], ["exact", undefined, null]);
  const hnsw = await chooseNeighborSearch(gpu, fit, source, "hnsw");
  assertEquals([hnsw.used, typeof hnsw.search], ["hnsw", "function"], hnsw.reason);
  assert(hnsw.recall! >= 0.95);
  assertMatch(
    hnsw.reason,
    /^hnsw, as asked for: on 900 nodes hnsw found [\d.]+ % of the 10 nearest; all 900 nodes /,
  );
  const auto = await chooseNeighborSearch(gpu, fit, source, "auto");
  assertEquals(auto.used, auto.seconds!.hnsw < auto.seconds!.exact ? "hnsw" : "exact");
  assertMatch(auto.reason, /faster here: on 900 nodes/);
  closeGpu(gpu);
});

Deno.test("chooseNeighborSearch() samples nodes of a graph that 32 bits do not number", async () => {
  const gpu = await openGpu(), read: number[] = [], rows = 7_092_000_000, cols = 9;
  const few = clusteredNodes(900, cols, 10, 0.3, testSeed + 1);
  const source = {
    rows,
    cols,
    read(first: number, count: number) {
      read.push(first, first + count);
      const data = Float32Array.from(
        { length: count * cols },
        (_, at) => few.data[(first * cols + at) % few.data.length],
      );
      return Promise.resolve({ data, rows: count, cols });
    },
  };
  const { recall, reason } = await chooseNeighborSearch(gpu, fitOn(400, cols, 10, 0.3), source, "hnsw");
  assert(recall! >= 0.95, reason);
  assertEquals(read, read.toSorted((a, b) => a - b));
  assert(read[0] < 0.05 * rows && read.at(-1)! > 0.95 * rows, `nodes ${read[0]} to ${read.at(-1)}`);
  closeGpu(gpu);
});

Deno.test("chooseNeighborSearch() falls back to the exact search where hnsw finds less than 95 %", async () => {
  const gpu = await openGpu();
  // Noise in many dimensions has no neighbourhoods to walk through.
  const features = randomMatrix(6000, 96);
  const fit = {
    landmarks: { indices: new Uint32Array(6000), features },
    neighbors: 10,
    ivf: null,
    seed: 0,
  };
  const choice = await chooseNeighborSearch(gpu, fit, matrixSource(randomMatrix(200, 96, 1)), "hnsw");
  assert(choice.recall! < 0.95);
  assertEquals([choice.used, choice.search], ["exact", undefined]);
  assertMatch(choice.reason, /^Exact nearest neighbours, because hnsw's recall is below 95 %: /);
  closeGpu(gpu);
});
