import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type AlignModel, closeGpu, fitSpace, openGpu, predictResponses } from "../../../mod.ts";
import { scoreOf } from "../../../src/pipeline/align_cache.ts";
import { ridgeScore } from "../../../src/experiments/brain_score/baselines.ts";
import {
  agreementOf,
  isMeasurable,
  nearestAgreement,
  oracleAgreement,
  timesChance,
} from "../../../src/experiments/brain_score/agreement.ts";
import { agreementSection } from "../../../src/experiments/brain_score/agreement_report.ts";
import { predictedClasses } from "../../../src/experiments/brain_score/predicted_classes.ts";
import {
  sampleUniversality,
  type Universality,
  universality,
} from "../../../src/experiments/brain_score/universality.ts";
import { shareBetween } from "../../../src/statistics/variance_share.ts";
import { balancedAccuracy } from "../../../src/statistics/balanced_accuracy.ts";
import { mixedNeighbors } from "../../../src/experiments/brain_score/align_effect.ts";
import type { Preprocessor } from "../../../src/data/images/preprocessor.ts";
import type { RunImage } from "../../../src/pipeline/images.ts";
import type { RunModel } from "../../../src/pipeline/models.ts";
import { openRunData } from "../../../tasks/shared/open_data.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { testSeed } from "../../support/random.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const FOLDER = new URL("../../golden/onnx", import.meta.url).pathname, SIZE = 24;

/** Two models, and three images, the first `figures` of which are all figure. */
function smallRun(figures: number): { models: RunModel[]; images: RunImage[] } {
  const preprocessor: Preprocessor = {
    resize: null,
    filter: "bicubic",
    crop: null,
    rescale: 1 / 255,
    normalize: null,
  };
  const models = ["fused_qkv_ts11", "fused_qkv_ts17"].map((name) => {
    return { path: `${FOLDER}/${name}.onnx`, preprocessor };
  });
  const size = { width: SIZE, height: SIZE };
  const images = Array.from({ length: 3 }, (_, i) => {
    const data = Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, at) => ((i + 1) * 31 + at * 7919) % 251);
    const mask = { ...size, data: new Uint8Array(SIZE * SIZE).fill(Number(i < figures)) };
    const masked = () => Promise.resolve(mask);
    return {
      name: `${i}.png`,
      load: () => Promise.resolve({ ...size, data }),
      mask: masked,
      classMask: masked,
    };
  });
  return { models, images };
}

/** Leaves the channels of all slots as they are. */
function unaligned(slots: readonly { name: string; width: number }[]): AlignModel {
  const [{ width }] = slots, rows = slots.length * width;
  const data = Float32Array.from(
    { length: rows * width },
    (_, at) => Number(Math.floor(at / width) % width === at % width),
  );
  const none = { data: new Float32Array(width), rows: width, cols: 1 };
  return {
    slots: [...slots],
    transforms: { data, rows, cols: width },
    beta: none,
    epsilon: new Float32Array(1),
  };
}

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** Few scenes, which a small test has time for; the page brain-score has the whole data set's values and targets. */
Deno.test("all layers of the built-in models meet in one space, which raw features do not, and the encoder loses nothing", () =>
  inTemporaryFolder(async (cache) => {
    const data = await openRunData({ folders: {}, models: [] }, {
      limit: 30,
      quick: true,
      cache,
      timings: {},
    });
    try {
      const brain = await data.readBrain(`${cache}/align`, () => {});
      const { pooled, responses } = brain.training;
      const { model } = await fitSpace(gpu, brain.slots, pooled, responses, {
        noiseCeiling: brain.noiseCeiling,
      });
      const sample = await sampleUniversality(data.models, data.images, data.classes, 0, {
        jointNodes: 3600,
        slotNodes: 500,
      });
      const [raw, aligned] = [await universality(gpu, sample), await universality(gpu, sample, model)];
      const r = scoreOf(brain, await predictResponses(gpu, model, brain.test.pooled)).r;
      const ridge = (await ridgeScore(gpu, brain)).r;
      assert(raw.converged && aligned.converged);
      assert(raw.slot > 0.25 && aligned.slot < 0.08, `${raw.slot}, ${aligned.slot}`);
      assert(aligned.image > 0.1 && aligned.image > 3 * raw.image, `${aligned.image}, ${raw.image}`);
      assert(aligned.figureGround > 0.66, `${aligned.figureGround}`);
      assert(aligned.within > raw.within - 0.02, `${aligned.within}, ${raw.within}`);
      assert(aligned.neighbors! > 1.4 * raw.neighbors!, `${aligned.neighbors}, ${raw.neighbors}`);
      assert(r > 0.98 * ridge, `${r}, ${ridge}`);
    } finally {
      data.close();
    }
  }));

Deno.test("sampleUniversality() reads the same tokens as all else: those of the shifted images too", async () => {
  const { models: [model], images } = smallRun(3), shifts = 2;
  const count = async (given: RunModel) =>
    (await sampleUniversality([given], images, [], 0)).slots[0].features.rows / images.length - 1;
  assertEquals(await count({ ...model, shifts }), shifts ** 2 * await count(model));
});

Deno.test("mixedNeighbors() has no answer where fewer than two images show a class", async () => {
  const classes = ["background", "thing"];
  for (const [figures, isThere] of [[0, false], [1, false], [2, true]] as const) {
    const { models, images } = smallRun(figures);
    const { slots } = await sampleUniversality(models, images, [], 0);
    const align = unaligned(slots.map(({ name, features }) => ({ name, width: features.cols })));
    const found = await mixedNeighbors(gpu, models, { align }, { images, classes }, 0);
    assertEquals(found !== undefined, isThere, `${figures} figures`);
    // Nodes of figures alone, all of one class.
    if (found) assertEquals([found.align.chance, found.align.after, found.align.images], [1, 1, 2]);
  }
});

Deno.test("shareBetween(), balancedAccuracy() and nearestAgreement() of nodes whose answers are known", async () => {
  const column = (...values: number[]) => ({ data: Float32Array.from(values), rows: values.length, cols: 1 });
  assertAlmostEquals(shareBetween(column(1, 1, 5, 5), [0, 0, 1, 1]), 1, 1e-12);
  assertAlmostEquals(shareBetween(column(1, 5, 1, 5), [0, 0, 1, 1]), 0, 1e-12);
  assertAlmostEquals(shareBetween(column(0, 2, 4, 6), [0, 0, 1, 1]), 0.8, 1e-12); // 16 of 20
  const two = { data: Float32Array.of(7, 0, 9, 2, 7, 4, 9, 6), rows: 4, cols: 2 };
  assertAlmostEquals(shareBetween(two, [0, 0, 2, 2], 1), 0.8, 1e-12); // without the first column; no row is in group 1
  const nodes = { data: Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1, 1, 0), rows: 5, cols: 2 };
  assertEquals(balancedAccuracy(nodes, [0, 1, 2, 3], [1, 1, 0, 0, 0]), 1);
  // The fifth lies with the figures: one of three ground nodes is wrong.
  assertAlmostEquals(balancedAccuracy(nodes, [0, 1, 2, 3, 4], [1, 1, 0, 0, 0]), (1 + 2 / 3) / 2, 1e-12);
  assertEquals(balancedAccuracy(nodes, [0, 2, 4], [1, 255, 0, 0, 255]), 1); // unknown ones do not count
  // Of model b in other images one has the class of node 0, the nearest; two have 2 and 0. Nodes 1 and 2 find but node 0.
  const x = { data: Float32Array.of(1, 0, 1, 0.1, 0, 1, -1, 0, 1, 0), rows: 5, cols: 2 };
  const labels = { model: ["a", "b", "b", "b", "b"], image: [0, 1, 1, 2, 0], category: [1, 1, 2, 0, 0] };
  const { others, own } = await nearestAgreement(gpu, x, labels, 3);
  assertAlmostEquals(timesChance(others), 2 / (1 / 3 + 1 + 0), 1e-12);
  assertEquals([...others.asked], [1, 2, 0]);
  assertEquals([...others.right], [1, 1, 0]);
  // Of its own model, node 1 finds node 4 and node 2 node 3, both ground; node 0 has none.
  assertEquals([[...own.asked], [...own.right], [...own.chance]], [[0, 2, 0], [0, 0, 0], [0, 0, 0]]);
  const { observed, chance, kappa } = agreementOf(others);
  assertAlmostEquals(observed, 2 / 3, 1e-12);
  assertAlmostEquals(chance, 4 / 9, 1e-12);
  assertAlmostEquals(kappa, (2 / 3 - 4 / 9) / (1 - 4 / 9), 1e-12);
  assertAlmostEquals(agreementOf(others, [0, 0]).chance, 1 / 3, 1e-12); // of image 0 alone
  const alone = { model: ["a", "b"], image: [0, 1], category: [1, 2] }, pair = { ...x, rows: 2 };
  const alike = { ...alone, category: [1, 1] };
  const none = await nearestAgreement(gpu, { ...pair, data: x.data.slice(0, 4) }, alone, 2);
  const all = await nearestAgreement(gpu, { ...pair, data: x.data.slice(0, 4) }, alike, 2);
  // No class in two images, nothing but one class, nobody asked: no number over chance.
  assertEquals([others, own, none.others, all.others, all.own].map(isMeasurable), [
    true,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("agreementSection() has no ratio to raw features that never agree, and says so", () => {
  const tally = (right: number) => ({
    asked: Float64Array.of(4, 4),
    right: Float64Array.of(right, right),
    chance: Float64Array.of(1, 1),
  });
  const said = (raw: number) => {
    const measured = [raw, 2].map((right) => ({
      agreement: { others: tally(right), own: tally(3), oracle: tally(3) },
    } as unknown as Universality));
    return agreementSection({ raw: measured[0], ridge: measured[1] }, { raw: "raw", ridge: "ridge" }, false)
      .map(({ markup }) => markup).join(" ");
  };
  assert(said(0).includes("has no ratio to theirs") && !/NaN|Infinity|∞/.test(said(0)));
  assert(/Ridge alignment gives 2(?:\.0+)? /.test(said(1)), said(1).slice(-600));
});

Deno.test("oracleAgreement() is what a node of the same predicted class in another model and image is on average", () => {
  const labels = { model: ["a", "b", "b", "b", "b"], image: [0, 1, 1, 2, 0], category: [1, 1, 0, 0, 255] };
  const predicted = [1, 1, 1, 0, 1];
  // Node 0: of nodes 1, 2 and 3, 1 and 2 are predicted figure, and 1 is; node 1 finds node 0.
  const found = oracleAgreement(labels, predicted, 3);
  assertEquals([[...found.asked], [...found.right]], [[1, 1, 0], [1 / 2, 1, 0]]);
  assertAlmostEquals(found.chance[0], 1 / 3, 1e-12);
  assertAlmostEquals(found.chance[1], 1, 1e-12);
});

Deno.test("predictedClasses() finds classes that a channel tells apart in images it has not seen, and chance where none does", () => {
  const images = 10, each = 40, rows = images * each, random = seededRandom(testSeed);
  const image = Array.from({ length: rows }, (_, i) => Math.floor(i / each));
  const category = Array.from({ length: rows }, (_, i) => i % 7 === 0 ? 255 : i % 3);
  const share = (features: (i: number, c: number) => number) => {
    const data = Float32Array.from({ length: 4 * rows }, (_, at) => features(Math.floor(at / 4), at % 4));
    const predicted = predictedClasses({ data, rows, cols: 4 }, image, category, images);
    const known = [...category.keys()].filter((i) => category[i] !== 255);
    return known.filter((i) => predicted[i] === category[i]).length / known.length;
  };
  assert(share((i, c) => Number(i % 3 === c) + 0.2 * random()) > 0.99);
  const noise = share(() => random());
  assert(noise < 0.45, `${noise}, seed ${testSeed}`);
  // A channel that names the image says nothing of others.
  const own = share((i, c) => c === 0 ? image[i] : random());
  assert(own < 0.45, `${own}, seed ${testSeed}`);
});

Deno.test("predictedClasses() of fewer images than folds predicts each from the others", () => {
  const image = [0, 0, 1, 1], category = [0, 1, 0, 1];
  const features = { data: Float32Array.of(0, 9, 1, 8), rows: 4, cols: 1 };
  assertEquals([...predictedClasses(features, image, category, 2)], category);
});
