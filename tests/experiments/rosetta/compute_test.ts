import { UnsuitableData } from "../../../src/experiments/shared/unsuitable_data.ts";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type AlignModel, closeGpu, type Matrix, openGpu } from "../../../mod.ts";
import { createFeatures } from "../../../src/data/features/feature_store.ts";
import { matchedEverywhere, rosetta } from "../../../src/experiments/rosetta/compute.ts";
import { writeRosettaReport, zColors } from "../../../src/experiments/rosetta/report.ts";
import type { Pipeline } from "../../../src/pipeline/nodes.ts";
import type { ExperimentRun } from "../../../src/experiments/shared/write_experiment.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { readResults } from "../../../src/report/results.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { measurePairs, standardizeUnits } from "../../support/rosetta_pairs.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";
import { openMaps, slices } from "../../../src/experiments/rosetta/maps.ts";
import {
  addToSums,
  bestLayers,
  correlate,
  mutualBest,
  openMeasure,
  scaleOf,
  type UnitSums,
} from "../../../src/experiments/rosetta/matching.ts";

const MODELS = ["clip<b>", "mae"], LAYERS = 2, WIDTH = 4, SIDE = 4, IMAGES = 12;

/** Places where the planted channel is: model, layer from 0, channel. */
const PLANTED = [[0, 0, 3], [1, 1, 2]] as const;

/**
 * Two models of noise with one channel in common, channel 3 in layer 1 of the first and channel 2 in layer 2 of the
 * second. The alignment gives it the number 1 in both, and every other channel of a slot another number.
 */
async function plantedPipeline(dir: string): Promise<Pipeline> {
  const random = seededRandom(testSeed), tokens = 1 + SIDE * SIDE, rows = IMAGES * tokens;
  const common = Float32Array.from({ length: rows }, () => random() - 0.5);
  const slots: AlignModel["slots"] = [],
    transforms: Matrix = {
      data: new Float32Array(MODELS.length * LAYERS * WIDTH * WIDTH),
      rows: MODELS.length * LAYERS * WIDTH,
      cols: WIDTH,
    };
  const manifests = [];
  for (const [m, model] of MODELS.entries()) {
    const layers = [];
    for (let l = 0; l < LAYERS; l++) {
      const planted = PLANTED.find(([a, b]) => a === m && b === l)?.[2];
      const vectors = Float32Array.from({ length: rows * WIDTH }, (_, at) => {
        const noise = (random() - 0.5) * (Math.floor(at / WIDTH) % tokens === 0 ? 500 : 1); // class tokens are no patches
        return at % WIDTH === planted ? 3 * common[Math.floor(at / WIDTH)] + 0.2 * noise + 5 : noise;
      });
      const path = `${dir}/${m}-${l}.arrow`;
      const writer = await createFeatures(path, l + 1, WIDTH, "float32", {});
      const image = Int32Array.from({ length: rows }, (_, i) => Math.floor(i / tokens));
      await writer.write({ image, token: Int16Array.from({ length: rows }, (_, i) => i % tokens), vectors });
      await writer.finish();
      layers.push({ layer: l + 1, path, tensor: "" });
      const first = slots.length * WIDTH;
      for (let c = 0; c < WIDTH; c++) {
        transforms.data[(first + c) * WIDTH + (c + 1 - (planted ?? 0) + WIDTH) % WIDTH] = 1;
      }
      slots.push({ name: `${model} L${l + 1}`, width: WIDTH });
    }
    manifests.push({ model, layers, width: WIDTH, hook: "attention" });
  }
  const voxels = 6, beta = randomMatrix(WIDTH, voxels, 3);
  const square = { width: SIDE, height: SIDE, data: new Uint8Array(3 * SIDE * SIDE).fill(90) };
  return {
    models: MODELS,
    classes: [],
    data: "made up",
    tokens,
    grid: { rows: SIDE, cols: SIDE },
    total: { images: IMAGES, nodes: rows },
    eigenvectors: randomMatrix(rows, 2),
    images: Array.from(
      { length: IMAGES },
      (_, i) => ({ name: `<i>${i}`, load: () => Promise.resolve(square) }),
    ),
    manifests: manifests as unknown as Pipeline["manifests"],
    align: { slots, transforms, beta, epsilon: new Float32Array(voxels) },
    ...{} as Pick<
      Pipeline,
      | "slots"
      | "fit"
      | "search"
      | "sampleVectors"
      | "nearest"
      | "points3"
      | "points2"
      | "map"
      | "colors"
      | "files"
    >,
  };
}

Deno.test("standardizeUnits() gives mean 0 and variance 1, and 0 to a unit that does not vary", () => {
  const maps = randomMatrix(50, 3);
  for (let i = 0; i < 50; i++) maps.data[3 * i + 1] = 1000.1;
  standardizeUnits(maps);
  for (const c of [0, 2]) {
    const values = Array.from({ length: 50 }, (_, i) => maps.data[3 * i + c]);
    assertAlmostEquals(values.reduce((sum, v) => sum + v, 0), 0, 1e-4);
    assertAlmostEquals(values.reduce((sum, v) => sum + v * v, 0), 50, 1e-3);
  }
  assert(Array.from({ length: 50 }, (_, i) => maps.data[3 * i + 1]).every((value) => value === 0));
});

Deno.test("mutualBest() takes pairs that are each other's best, none twice and none negative", () => {
  // deno-fmt-ignore
  const data = Float32Array.of(
    0.9, 0.8, 0.1,
    0.7, 0.6, 0.2,
    -0.5, -0.6, -0.1,
    0.3, 0.8, 0.8,
  );
  assertEquals(mutualBest({ data, rows: 4, cols: 3 }).map(({ a, b }) => [a, b]), [[0, 0]]);
  data[10] = 0.95;
  assertEquals(mutualBest({ data, rows: 4, cols: 3 }).map(({ a, b }) => [a, b]), [[0, 0], [3, 1]]);
});

Deno.test("bestLayers() compares channels of one number, or of shifted ones, over all layers", () => {
  const data = new Float32Array(16), at = (a: number, b: number) => 4 * a + b; // 2 layers × 2 channels
  data[at(2, 0)] = 0.5; // channel 0: layer 2 beside layer 1
  data[at(1, 3)] = 0.6; // channel 1: layer 1 beside layer 2
  data[at(0, 3)] = 0.9; // channel 0 beside channel 1
  const pairs = (shift?: number) =>
    bestLayers({ data, rows: 4, cols: 4 }, 2, shift).map(({ a, b }) => [a, b]);
  assertEquals(pairs(), [[2, 0], [1, 3]]);
  assertEquals(pairs(1)[0], [0, 3]);
});

Deno.test("measurePairs() gives the correlation of float64, by pair and by image, and that with another image", () => {
  const images = 3,
    patches = 4,
    a = randomMatrix(images * patches, 2, 1),
    b = randomMatrix(images * patches, 3, 2);
  standardizeUnits(a);
  standardizeUnits(b);
  const pairs = [{ a: 1, b: 0, found: 0 }, { a: 0, b: 2, found: 0 }];
  const { r, shuffled, byImage } = measurePairs(a, b, pairs, images, patches);
  pairs.forEach((pair, k) => {
    const product = (turn: number) => {
      let sum = 0;
      for (let i = 0; i < images * patches; i++) {
        const other = (i + turn * patches) % (images * patches);
        sum += a.data[2 * i + pair.a] * b.data[3 * other + pair.b];
      }
      return sum / images / patches;
    };
    assertAlmostEquals(r[k], product(0), 1e-6);
    assertAlmostEquals(shuffled[k], product(1), 1e-6);
  });
  assertAlmostEquals(byImage.reduce((sum, v) => sum + v, 0) / images, (r[0] + r[1]) / 2, 1e-9);
});

Deno.test("matchedEverywhere() counts units whose matches close the circle", () => {
  const pair = (a: string, b: string, matches: [number, number, number][]) => ({
    models: [a, b] as [string, string],
    rosetta: {
      pairs: matches.map(([a, b]) => ({ a, b, found: 1 })),
      r: Float64Array.from(matches, ([, , r]) => r),
    } as Parameters<typeof matchedEverywhere>[0][0]["rosetta"],
  });
  const found = matchedEverywhere([
    pair("x y", "b", [[0, 5, 0.9], [1, 6, 0.8], [2, 7, 1]]),
    pair("x y", "c", [[0, 3, 0.6], [1, 4, 0.7]]),
    pair("b", "c", [[5, 3, 0.3], [6, 9, 0.2]]),
  ], ["x y", "b", "c"]);
  assertEquals(found.count, 1);
  assertAlmostEquals(found.r!, 0.6, 1e-9);
});

Deno.test("zColors() is white at 0, blue below, orange above, full from two standard deviations on", () => {
  assertEquals([...zColors(Float32Array.of(0, 2, -9))], [255, 255, 255, 194, 80, 10, 0, 103, 165]);
});

Deno.test("rosetta() finds the channel that two models share, in their own channels and after alignment; the report tells it", async () => {
  const gpu = await openGpu();
  try {
    await inTemporaryFolder(async (dir) => {
      const pipeline = await plantedPipeline(dir);
      const found = await rosetta(gpu, pipeline, 0), [pair] = found.pairs;
      const [best] = pair.strongest.pairs;
      assertEquals([best.a, best.b], [3, WIDTH + 2], `seed ${testSeed}`);
      assert(pair.strongest.r[0] > 0.95 && Math.abs(pair.strongest.shuffled[0]) < 0.5, `seed ${testSeed}`);
      const shared = pair.aligned.pairs[1];
      assertEquals([shared.a, shared.b], [1, WIDTH + 1]);
      assertAlmostEquals(pair.aligned.r[1], pair.strongest.r[0], 1e-5);
      assertEquals(pair.unchosen.pairs.length, LAYERS * WIDTH);
      assertEquals([found.images, found.voxels], [{ found: 6, measured: 6 }, 4]);
      assertEquals(found.units, { "clip<b>": 8, mae: 8 });
      assertEquals(found.examples[0].columns.map(({ label }) => label)[0], "clip<b> L1 channel 3");

      const page = await writeRosettaReport({
        out: dir,
        pipeline,
        seed: 0,
        timings: {},
        command: "./run rosetta",
        gpu: {
          adapter: { description: "made-up", software: true } as ExperimentRun["gpu"]["adapter"],
          memory: { peak: 0 } as ExperimentRun["gpu"]["memory"],
        },
      }, found);
      const markup = await Deno.readTextFile(page);
      assertStringIncludes(markup, "clip&lt;b&gt; L1 channel 3");
      assert(!markup.includes("<b>") && !markup.includes("<i>"));
      const { metrics, claims } = (await readResults(`${dir}/results.json`))!.experiments.rosetta;
      assertEquals(claims.length, 4);
      assertEquals(metrics["pairs.aligned.clip<b>.mae"], 4);
      await assertRejects(
        () => rosetta(gpu, { ...pipeline, images: pipeline.images.slice(0, 3) }, 0),
        UnsuitableData,
        "Rosetta neurons need 4 images, half of them to match on, and two models: found 3 images, 2 models.",
      );
    });
  } finally {
    closeGpu(gpu);
  }
});

Deno.test("correlate() is Pearson's r of every two units", async () => {
  const gpu = await openGpu();
  const a = randomMatrix(37, 3, 4), b = randomMatrix(37, 5, 5);
  const pearson = (i: number, j: number) => {
    const x = Array.from({ length: 37 }, (_, k) => a.data[3 * k + i]);
    const y = Array.from({ length: 37 }, (_, k) => b.data[5 * k + j]);
    const mean = (v: number[]) => v.reduce((sum, value) => sum + value, 0) / v.length;
    const [mx, my] = [mean(x), mean(y)];
    const dot = (u: number[], mu: number, v: number[], mv: number) =>
      u.reduce((sum, value, k) => sum + (value - mu) * (v[k] - mv), 0);
    return dot(x, mx, y, my) / Math.sqrt(dot(x, mx, x, mx) * dot(y, my, y, my));
  };
  const expected = Array.from({ length: 15 }, (_, at) => pearson(Math.floor(at / 5), at % 5));
  standardizeUnits(a);
  standardizeUnits(b);
  const { data, rows, cols } = await correlate(gpu, [[a, b]]);
  const rowsOf = ({ data, cols }: Matrix, from: number, to: number) => ({
    data: data.slice(from * cols, to * cols),
    rows: to - from,
    cols,
  });
  const panels = [[0, 20], [20, 37]].map(([from, to]): [Matrix, Matrix] => [
    rowsOf(a, from, to),
    rowsOf(b, from, to),
  ]);
  (await correlate(gpu, panels)).data.forEach((value, at) => assertAlmostEquals(value, data[at], 1e-6));
  closeGpu(gpu);
  assertEquals([rows, cols], [3, 5]);
  expected.forEach((value, at) => assertAlmostEquals(data[at], value, 1e-5));
});

Deno.test("means, variances and pairs of panels of images are those of all at once", () => {
  const images = 7,
    patches = 4,
    turn = 3,
    a = randomMatrix(images * patches, 3, 6),
    b = randomMatrix(images * patches, 3, 7);
  const part = ({ data }: Matrix, some: number[]) => ({
    data: Float32Array.from(some.flatMap((i) => [...data.subarray(i * patches * 3, (i + 1) * patches * 3)])),
    rows: some.length * patches,
    cols: 3,
  });
  const all = [...Array(images).keys()], pieces = slices(all, 3);
  assertEquals(pieces.map(({ length }) => length), [3, 3, 1]);
  const whole = scaleOf(addToSums(a));
  let sums: UnitSums | undefined;
  for (const some of pieces) sums = addToSums(part(a, some), sums);
  for (const key of ["mean", "inverse"] as const) {
    scaleOf(sums!)[key].forEach((value, c) => assertAlmostEquals(value, whole[key][c], 1e-9));
  }
  const pairs = [{ a: 1, b: 0, found: 0 }, { a: 0, b: 2, found: 0 }],
    { found, add } = openMeasure(pairs, images, patches);
  for (const some of pieces) add(part(a, some), part(b, some), part(b, some.map((i) => (i + turn) % images)));
  assertEquals(found, measurePairs(a, b, pairs, images, patches));
});

Deno.test("openMaps() holds maps of as many images whatever their number, at three sizes", () =>
  inTemporaryFolder(async (dir) => {
    const width = 2048, tokens = 65, path = `${dir}/wide.arrow`, held: number[] = [];
    const writer = await createFeatures(path, 1, width, "float16", {});
    for (let image = 0; image < 160; image++) {
      const { data } = randomMatrix(tokens, width, image);
      await writer.write({
        image: new Int32Array(tokens).fill(image),
        token: new Int16Array(tokens),
        vectors: data,
      });
    }
    await writer.finish();
    const manifests = [{ layers: [{ layer: 1, path }] }] as unknown as Pipeline["manifests"];
    const align = { slots: [{ name: "wide L1", width }] } as AlignModel;
    for (const images of [40, 80, 160]) {
      let most = 0;
      await using maps = await openMaps({ manifests, models: ["wide"], tokens, align }, 0, (_, raw) => {
        most = Math.max(most, raw.rows / tokens);
        return Promise.resolve(raw);
      });
      const chosen = Array.from({ length: images / 2 }, (_, i) => 2 * i + 1);
      const scaled = await maps.scaled(chosen), sums = addToSums(await scaled(chosen.slice(0, maps.most)));
      assertEquals([sums.rows, maps.units], [64 * Math.min(maps.most, images / 2), width]);
      held.push(most);
    }
    assertEquals(held, [20, 32, 32]);
  }));
