import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { renderScene, type Scene } from "../../fixtures/scenes/mod.ts";
import { closeGpu, type Matrix, normalizedCut, openGpu } from "../../mod.ts";
import { twoWayCut } from "../../src/graph/two_way_cut.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affinity } from "../reference/affinity.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
const GRID = { rows: 12, cols: 12 }, N = 144, D = 48;

/** Tokens around one direction inside of `figure` and another outside. */
function picture(figure: (row: number, col: number) => boolean, noise: number, key = 0): Matrix {
  const random = seededRandom(testSeed + 7919 * key);
  const centers = fillRandom(new Float32Array(2 * D), random);
  const data = fillRandom(new Float32Array(N * D), random);
  for (let at = 0; at < data.length; at++) {
    const i = Math.floor(at / D), side = Number(figure(Math.floor(i / 12), i % 12));
    data[at] = centers[side * D + at % D] + noise * data[at];
  }
  return { data, rows: N, cols: D };
}

const disc = (row: number, col: number) => Math.hypot(row - 6, col - 5) < 3.6;
const DISC = Uint8Array.from({ length: N }, (_, i) => Number(disc(Math.floor(i / 12), i % 12)));

/** Ncut of a split, from its definition. */
function ncutOf(a: Float64Array, n: number, side: Uint8Array): number {
  let cut = 0;
  const assoc = [0, 0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      assoc[side[i]] += a[i * n + j];
      if (side[i] === 1 && side[j] === 0) cut += a[i * n + j];
    }
  }
  return cut / assoc[0] + cut / assoc[1];
}

Deno.test("twoWayCut() finds a figure inside the image, and is sure of it", async () => {
  const { foreground, decidedBy, confidence } = await twoWayCut(gpu, picture(disc, 0.3), { grid: GRID });
  assertEquals(foreground, DISC, note);
  assertEquals(decidedBy, "border");
  assert(confidence > 0.8, `confidence ${confidence}, ${note}`);
});

Deno.test("twoWayCut() takes the side with the largest entry, the smaller one, without a grid", async () => {
  const { foreground, decidedBy, confidence } = await twoWayCut(gpu, picture(disc, 0.1));
  assertEquals(foreground, DISC, note);
  assertEquals(decidedBy, "largest entry");
  assert(confidence > 0.3, `confidence ${confidence}, ${note}`);
});

Deno.test("twoWayCut() reports the Ncut of its split, no threshold having a smaller one", async () => {
  const n = 40, x = randomMatrix(n, 6);
  const { foreground, ncut, eigenvalue, threshold } = await twoWayCut(gpu, x);
  const a = affinity(x.data, n, x.data, n, 6);
  assertAlmostEquals(ncut, ncutOf(a, n, foreground), 1e-5, note);
  assert(ncut >= 1 - eigenvalue - 1e-5, `${ncut} and λ₂ = ${eigenvalue}, ${note}`);
  const cut = await normalizedCut(gpu, x, { components: 3 });
  const values = Float64Array.from(
    { length: n },
    (_, i) => cut.eigenvectors.data[3 * i + 1] / Math.sqrt(cut.degrees[i]),
  );
  const above = values.map((v) => Number(v > threshold));
  assert([0, 1].some((side) => foreground.every((f, i) => f === Math.abs(above[i] - side))), note);
  for (const at of values) {
    const side = Uint8Array.from(values, (v) => Number(v > at));
    if (side.includes(1)) assert(ncutOf(a, n, side) >= ncut - 1e-5, note);
  }
});

Deno.test("twoWayCut() is not sure of images without two groups", async () => {
  const random = seededRandom(testSeed + 1);
  const noise = fillRandom(new Float32Array(N * D), random);
  const one = picture(() => true, 0.3, 2);
  const ramp = new Float32Array(N * 3).map((_, at) => {
    const i = Math.floor(at / 3);
    return [1, i % 12 / 12, Math.floor(i / 12) / 12][at % 3] + 0.02 * random();
  });
  const cases: [string, Matrix][] = [
    ["noise", { data: noise, rows: N, cols: D }],
    ["one group", one],
    ["uniform", { data: new Float32Array(N * D).fill(0.7), rows: N, cols: D }],
    ["a ramp", { data: ramp, rows: N, cols: 3 }],
    ["three groups alike", three()],
  ];
  const clear = await twoWayCut(gpu, picture(disc, 1), { grid: GRID });
  for (const [name, x] of cases) {
    const { confidence, evidence, foreground } = await twoWayCut(gpu, x, { grid: GRID });
    const message = `${name}: ${confidence} ${JSON.stringify(evidence)}, ${note}`;
    assert(confidence < 0.15 && confidence < clear.confidence / 3, `${message}, clear ${clear.confidence}`);
    assertEquals([...new Set(foreground)].sort(), [0, 1], name);
  }
});

/** Three groups of 48 tokens, each orthogonal to the others. */
function three(): Matrix {
  const random = seededRandom(testSeed + 5);
  const data = Float32Array.from(
    { length: N * 3 },
    (_, at) => Number(at % 3 === Math.floor(at / 3) % 3) + 0.05 * random(),
  );
  return { data, rows: N, cols: 3 };
}

Deno.test("twoWayCut() is the less sure the more noise there is", async () => {
  const confidences = [];
  for (const noise of [0.1, 0.7, 1.5, 3]) {
    confidences.push((await twoWayCut(gpu, picture(disc, noise), { grid: GRID })).confidence);
  }
  assertEquals(confidences, confidences.toSorted((a, b) => b - a), note);
});

Deno.test("twoWayCut() gives the same for a cut that is at hand", async () => {
  const x = picture(disc, 1);
  const cut = await normalizedCut(gpu, x, { components: 3 });
  assertEquals(await twoWayCut(gpu, x, { grid: GRID, cut }), await twoWayCut(gpu, x, { grid: GRID }), note);
});

Deno.test("twoWayCut() parts two tokens", async () => {
  const { foreground } = await twoWayCut(gpu, { data: new Float32Array([1, 0, 0, 1]), rows: 2, cols: 2 });
  assertEquals([...foreground].sort(), [0, 1]);
});

Deno.test("twoWayCut() refuses what is no image's tokens", async () => {
  const x = randomMatrix(16, 3);
  const cut = await normalizedCut(gpu, x, { components: 2 });
  const cases: [Matrix, Parameters<typeof twoWayCut>[2], string][] = [
    [randomMatrix(1, 3), {}, "features has 1 tokens: a two-way cut takes one image's, 2 to 8192."],
    [
      x,
      { grid: { rows: 3, cols: 5 }, name: "a.jpg" },
      "a.jpg has 16 tokens, but the grid is 3 × 5: leave out class",
    ],
    [x, { cut }, "The cut given for features is 16 × 2, expected 16 × 3"],
    [{ ...x, data: x.data.slice().fill(0, 6, 9) }, {}, "features: node 2 is a zero vector"],
  ];
  for (const [input, options, message] of cases) {
    await assertRejects(() => twoWayCut(gpu, input, options), RangeError, message);
  }
});

const PATCHES = 14;

/** Share of the figure in every patch of a scene. */
function figureShares({ figure, width, height }: Scene): Float64Array {
  const shares = new Float64Array(PATCHES * PATCHES);
  figure.forEach((value, at) => {
    const row = Math.floor(Math.floor(at / width) * PATCHES / height), col = at % width * PATCHES / width;
    shares[row * PATCHES + Math.floor(col)] += value * PATCHES * PATCHES / (width * height);
  });
  return shares;
}

/** Tokens of 32 channels that follow the figure, with noise. */
function maskFeatures(shares: Float64Array, seed: number): Matrix {
  const data = fillRandom(new Float32Array(shares.length * 32), seededRandom(seed));
  for (let at = 0; at < data.length; at++) {
    const share = shares[Math.floor(at / 32)];
    data[at] = 0.5 * data[at] + (at % 32 < 16 ? share : 1 - share);
  }
  return { data, rows: shares.length, cols: 32 };
}

Deno.test("twoWayCut() finds the figures of scenes in features that follow them, better where it is surer", async () => {
  const grid = { rows: PATCHES, cols: PATCHES };
  const found: { confidence: number; iou: number }[] = [];
  for (let seed = 0; seed < 16; seed++) {
    const shares = figureShares(renderScene(seed));
    const { foreground, confidence } = await twoWayCut(gpu, maskFeatures(shares, testSeed + seed), { grid });
    let both = 0, either = 0;
    shares.forEach((share, i) => {
      both += foreground[i] * share;
      either += foreground[i] ? 1 : share;
    });
    found.push({ confidence, iou: both / either });
  }
  found.sort((a, b) => a.confidence - b.confidence);
  const mean = (part: typeof found) => part.reduce((sum, { iou }) => sum + iou, 0) / part.length;
  const [unsure, sure] = [mean(found.slice(0, 8)), mean(found.slice(8))];
  const message = found.map(({ confidence, iou }) => `${confidence.toFixed(2)}: ${iou.toFixed(2)}`).join(
    ", ",
  );
  assert(sure > 0.7 && sure > unsure, `${message}, ${note}`);
});
