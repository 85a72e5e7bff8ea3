import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  alignData,
  clickSimilarity,
  closeGpu,
  colorsFromPoints,
  crossValidationFolds,
  descendOnBatches,
  discretize,
  encodePng,
  exactCut,
  fitNystrom,
  fitSpace,
  fowlkesNystrom,
  kmeans,
  linearEncoder,
  listPhotographs,
  type Matrix,
  matrixSource,
  meanFeatures,
  minibatchGradient,
  nearestNeighbors,
  noiseCeiling,
  normalizedCut,
  openGpu,
  orthogonalizeColumns,
  patchFeatures,
  propagate,
  rdm,
  readBrainSubject,
  ridge,
  roiScores,
  rsa,
  sampleLandmarks,
  spectralColors,
  spectralMap,
  trainAlign,
  trustworthiness,
  tsne,
  twoWayCut,
} from "../../mod.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const matrix = (rows: number, cols: number): Matrix => ({
  data: Float32Array.from({ length: rows * cols }, (_, at) => Math.sin(at * at + 1)),
  rows,
  cols,
});
const broken = (x: Matrix): Matrix => ({ ...x, data: x.data.with(4, NaN) });
const x = matrix(20, 3);
// deno-lint-ignore no-explicit-any
const untyped = (value: unknown) => value as any;

Deno.test("a misspelt choice is refused with the choices, not taken for another", async () => {
  const wrong: [sentence: string, call: () => Promise<unknown>][] = [
    [
      'metric is "l2": give "cosine" or "euclidean".',
      () => nearestNeighbors(gpu, x, x, { k: 2, metric: untyped("l2") }),
    ],
    [
      'search is "all": give "exact" or "ivf".',
      () => fitNystrom(gpu, matrixSource(x), { landmarks: 9, components: 2, search: untyped("all") }),
    ],
    [
      'storage is "dense": give "stored" or "tiled".',
      () => normalizedCut(gpu, x, { components: 2, storage: untyped("dense") }),
    ],
    [
      'alphaFor is "voxels": give "voxel" or "all".',
      () => ridge(gpu, x, x, { alphaFor: untyped("voxels") }),
    ],
    ["dimensions is 1: give 2 or 3.", () => tsne(gpu, x, { dimensions: untyped(1) })],
    ['split is "val": give "training" or "test".', () => readBrainSubject("nowhere", untyped("val"))],
  ];
  for (const [sentence, call] of wrong) await assertRejects(call, RangeError, sentence);
  assertThrows(
    () => noiseCeiling([Float64Array.of(1, 2, 3), Float64Array.of(1, 3, 2)], { average: untyped("rank") }),
    RangeError,
    'average is "rank": give "values" or "ranks".',
  );
});

Deno.test("fitNystrom() takes the former name of a search, and says so", async () => {
  const original = console.warn, lines: string[] = [], options = { landmarks: 9, components: 2 };
  console.warn = (line: string) => lines.push(line);
  try {
    const former = await fitNystrom(gpu, matrixSource(x), { ...options, search: untyped("groups") });
    assertEquals(former.cut, (await fitNystrom(gpu, matrixSource(x), { ...options, search: "ivf" })).cut);
  } finally {
    console.warn = original;
  }
  assertEquals(lines, ['search "groups" is now called "ivf".']);
});

Deno.test("numbers outside an option's range are refused by name", async () => {
  const data = alignData([{ name: "a", width: 3 }], x, x, [x]);
  const wrong: [sentence: string, call: () => Promise<unknown>][] = [
    ["iterations is -5: give a whole number, 0 or more.", () => tsne(gpu, x, { iterations: -5 })],
    ["iterations is 2.5: give", () => tsne(gpu, x, { iterations: 2.5 })],
    ["exaggeration is -1: give", () => tsne(gpu, x, { exaggeration: -1 })],
    ["learningRate is NaN: give", () => tsne(gpu, x, { learningRate: NaN })],
    ["steps is 0: give", () => linearEncoder(gpu, x, x, { steps: 0 })],
    ["rate is NaN: give", () => linearEncoder(gpu, x, x, { rate: NaN })],
    ["batch is 0: give a whole number, 1 or more.", () => trainAlign(gpu, data, { batch: 0 })],
    ["constrainEvery is 0: give", () => trainAlign(gpu, data, { constrainEvery: 0 })],
    ["validation is -0.1: give a share between 0 and 1.", () => trainAlign(gpu, data, { validation: -0.1 })],
    ["limit is -1: give a whole number, 1 or more.", () => listPhotographs(".", -1)],
    ["limit is NaN: give", () => readBrainSubject("nowhere", "test", NaN)],
    ["layers names none", () => patchFeatures("mae_tiny", ["a.png"], [])],
    ["There are no models", () => meanFeatures([], ["a.png"])],
    [
      "sample names row 3 at 2: give rows of the 20 nodes, ascending",
      () => spectralMap(gpu, matrixSource(x), { sample: Uint32Array.of(1, 9, 3, 4) }),
    ],
    [
      "sample names row 20 at 3",
      () => spectralMap(gpu, matrixSource(x), { sample: Uint32Array.of(1, 2, 3, 20) }),
    ],
    ["but the grid is 2.5 × 8", () => twoWayCut(gpu, x, { grid: { rows: 2.5, cols: 8 } })],
  ];
  for (const [sentence, call] of wrong) await assertRejects(call, RangeError, sentence);
  assertThrows(() => rsa([1, 2, 3], [1, 2, 3], { resamples: -1 }), RangeError, "resamples is -1");
  for (const quantile of [-0.1, 0.5, NaN]) {
    assertThrows(() => colorsFromPoints(x, quantile), RangeError, `quantile is ${quantile}: give a share`);
  }
  assertThrows(
    () => trustworthiness(x, x, 2.5),
    RangeError,
    "k is 2.5: trustworthiness of 20 points needs a whole k",
  );
});

Deno.test("a seed that is no whole number is refused by every function that takes one, not cut to one", async () => {
  const calls: Record<string, (seed: number) => unknown> = {
    bootstrap: (seed) => rsa([1, 2, 3], [1, 2, 3], { seed }),
    crossValidationFolds: (seed) => crossValidationFolds(9, 3, seed),
    descendOnBatches: (seed) => descendOnBatches(x, { components: 2, seed }),
    discretize: (seed) => discretize(x, { seed }),
    exactCut: (seed) => exactCut(gpu, x, { components: 2, seed }),
    fitNystrom: (seed) => fitNystrom(gpu, matrixSource(x), { landmarks: 9, components: 2, seed }),
    fitSpace: (seed) => fitSpace(gpu, [{ name: "a", width: 3 }], x, x, { seed }),
    fowlkesNystrom: (seed) => fowlkesNystrom(gpu, x, { components: 2, landmarks: 9, seed }),
    kmeans: (seed) => kmeans(x, { clusters: 2, seed }),
    minibatchGradient: (seed) => minibatchGradient(gpu, x, { components: 2, seed }),
    noiseCeiling: (seed) => noiseCeiling([[1, 2, 3], [1, 3, 2]], { seed }),
    normalizedCut: (seed) => normalizedCut(gpu, x, { components: 2, seed }),
    ridge: (seed) => ridge(gpu, x, x, { alphas: [1], seed }),
    sampleLandmarks: (seed) => sampleLandmarks(gpu, matrixSource(x), { count: 5, seed }),
    spectralColors: (seed) => spectralColors(gpu, matrixSource(x), { seed, iterations: 2 }),
    spectralMap: (seed) => spectralMap(gpu, matrixSource(x), { seed, iterations: 2 }),
    trainAlign: (seed) => trainAlign(gpu, alignData([{ name: "a", width: 3 }], x, x, [x]), { seed }),
    tsne: (seed) => tsne(gpu, x, { seed, iterations: 2 }),
    twoWayCut: (seed) => twoWayCut(gpu, x, { seed }),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const seed of [NaN, 1.5, Infinity, 2 ** 53, untyped("7")]) {
      await assertRejects(
        async () => await call(seed),
        RangeError,
        `seed is ${seed}: give a whole number.`,
        `${name} with ${seed}`,
      );
    }
  }
});

Deno.test("values that are not finite are named, not colored, ranked or left out", async () => {
  assertThrows(() => colorsFromPoints(broken(x)), RangeError, "Point 1 has NaN");
  assertThrows(() => trustworthiness(broken(x), x), RangeError, "original points: point 1 has NaN");
  assertThrows(() => trustworthiness(x, broken(x)), RangeError, "map: point 1 has NaN");
  assertThrows(() => clickSimilarity(broken(x), { positive: [0] }), RangeError, "node 1 has NaN in column 1");
  assertThrows(() => orthogonalizeColumns(broken(x)), RangeError, "row 1 has NaN in column 1");
  assertThrows(
    () => roiScores(Float64Array.of(0.1, 0.2), new Map([["V1", Uint32Array.of(0, 5)]])),
    RangeError,
    "The region V1 has voxel 5, the responses 2 voxels, counted from 0.",
  );
  assertThrows(() => rdm({ ...x, cols: 2 }), RangeError, "patterns holds 60 values: 20 × 2 needs 40.");
  await assertRejects(
    () => encodePng({ width: 1, height: 1, data: untyped(Float32Array.of(0.1, 0.5, 1)) }),
    TypeError,
    "A picture's data are bytes",
  );
});

Deno.test("propagate() refuses lists that do not belong together, and distances in the place of affinities", async () => {
  const lists = (k: number, indices: number[], similarities: number[]) =>
    propagate(
      gpu,
      { k, indices: Uint32Array.from(indices), similarities: Float32Array.from(similarities) },
      matrix(2, 3),
    );
  await assertRejects(
    () => lists(2, [0, 1, 1], [1, 1, 1]),
    RangeError,
    "The neighbours are 3 with 3 affinities, and K = 2",
  );
  await assertRejects(
    () => lists(1, [0, 1, 1], [1, 1]),
    RangeError,
    "The neighbours are 3 with 2 affinities, and K = 1",
  );
  await assertRejects(() => lists(2, [0, 1], [-1, -3]), RangeError, "Node 0 has a neighbour of affinity -1");
  await assertRejects(() => lists(1, [0, 1], [1, NaN]), RangeError, "Node 1 has a neighbour of affinity NaN");
  await assertRejects(() => lists(2, [0, 1], [0, 0]), RangeError, "Node 0 has only neighbours of affinity 0");
});

Deno.test("rsa() and noiseCeiling() take float32 and lists, as files give them", () => {
  const model = [1, 2, 3, 4, 6, 5], one = [2, 1, 3, 4, 5, 6], two = [1, 2, 4, 3, 5, 6];
  const options = { resamples: 5 }, expected = rsa(model, Float64Array.from(one), options);
  for (const own of [one, Float32Array.from(one), [one], [Float32Array.from(one)]]) {
    assertEquals(rsa(model, own, options), expected);
  }
  const both = noiseCeiling([Float64Array.from(one), Float64Array.from(two)], options);
  const lists = noiseCeiling([one, Float32Array.from(two)], options);
  assertEquals(lists, both);
});
