import { CATEGORIES } from "../../../fixtures/scenes/mod.ts";
import { sceneImages } from "../../../src/synthetic/scene_images.ts";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  intersectionOverUnion,
  oracleSegmentation,
} from "../../../src/experiments/shared/oracle_segmentation.ts";
import {
  difference,
  type LayerOrder,
  layerOrder,
  nearPaper,
  ORDER_RULE,
  pipelineTruth,
  reachedAt,
  RESAMPLES,
  segmentation,
} from "../../../src/experiments/segmentation/compute.ts";
import { bestOverlap, segmentImages } from "../../../src/experiments/segmentation/overlap.ts";
import { SHOWN_P } from "../../../src/experiments/shared/claim_cells.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { testSeed } from "../../support/random.ts";
import { walkingPipeline } from "../../support/walking_pipeline.ts";
import { slotVectors } from "../../../src/experiments/shared/slot_vectors.ts";

/** Four images of five tokens, three classes with some tokens shared between them. */
function madeUp() {
  const random = seededRandom(testSeed), rows = 20, classes = 3;
  const data = Float32Array.from({ length: rows * 4 }, () => random() - 0.3);
  const counts = Uint32Array.from(
    { length: rows * classes },
    (_, i) => Math.floor(i / classes) % 5 === 0 ? 0 : Math.floor(8 * random()),
  );
  return { eigenvectors: { data, rows, cols: 4 }, labels: { counts, classes } };
}

Deno.test("segmentImages() gives what oracleSegmentation() gives, summed over images", () => {
  const { eigenvectors, labels } = madeUp();
  const expected = oracleSegmentation(eigenvectors, labels);
  const found = segmentImages(eigenvectors, labels, 4);
  assertAlmostEquals(found.miou, expected.miou, 1e-12, `seed ${testSeed}`);
  assertEquals([...found.assigned], [...expected.assigned]);
});

Deno.test("bestOverlap() of one image is the IoU of that image alone, at its best threshold", () => {
  const { eigenvectors, labels } = madeUp(),
    { overlaps, assigned, threshold } = segmentImages(eigenvectors, labels, 4);
  for (let image = 0; image < 4; image++) {
    const counts = labels.counts.subarray(image * 15, (image + 1) * 15);
    const { miou } = intersectionOverUnion(assigned.subarray(image * 5, (image + 1) * 5), {
      counts,
      classes: 3,
    });
    const best = bestOverlap(overlaps, Uint32Array.of(image, image));
    assert(best.miou >= miou - 1e-12, `seed ${testSeed}`);
    if (best.threshold === threshold) assertAlmostEquals(best.miou, miou, 1e-12);
  }
});

Deno.test("bestOverlap() leaves out classes that the drawn images do not show", () => {
  const eigenvectors = { data: Float32Array.of(1, 0, 0, 1, 1, 0, 1, 0), rows: 4, cols: 2 };
  const labels = { counts: Uint32Array.of(9, 0, 0, 9, 9, 0, 9, 0), classes: 2 };
  const { overlaps, miou } = segmentImages(eigenvectors, labels, 2);
  assertEquals(miou, 1);
  assertEquals(bestOverlap(overlaps, Uint32Array.of(1)).miou, 1);
});

Deno.test("reachedAt() is the first value within 5 % of the peak", () => {
  assertEquals(reachedAt([0.2, 0.56, 0.57, 0.6]), 2);
  assertEquals(reachedAt([1, 0.2]), 0);
});

const steady = (values: number[], jitter = 0) =>
  values.map((value, i) => ({
    layer: i + 1,
    value,
    resampled: Float64Array.from({ length: RESAMPLES }, (_, b) => value + jitter * (b % 2 - 0.5)),
  }));
const flat = (value: number) => ({ value, resampled: new Float64Array(RESAMPLES).fill(value) });

const holds = ({ earlier, stays, beyondBaseline }: LayerOrder) =>
  [earlier, stays, beyondBaseline].every(({ p }) => p <= SHOWN_P);

Deno.test("layerOrder() holds when figure-ground comes first, stays, and beats color and position", () => {
  const early = steady([0.2, 0.58, 0.6, 0.58]), late = steady([0.1, 0.2, 0.3, 0.5]);
  const order = layerOrder({ figure_ground: early, category: late }, flat(0.3), 10);
  assert(holds(order));
  assertEquals([order.reached.figure_ground.layer, order.reached.category.layer], [2, 4]);
  assertEquals([order.peak.figure_ground.layer, order.peak.category.layer], [3, 4]);
  assertAlmostEquals(order.earlier.p, 1 / (RESAMPLES + 1));
  assertEquals(order.earlier.effect, 2);
});

Deno.test("layerOrder() fails when figure-ground comes later, falls off, or is no better than the baseline", () => {
  const early = steady([0.2, 0.6, 0.6, 0.6]), late = steady([0.1, 0.2, 0.3, 0.5]);
  assert(!holds(layerOrder({ figure_ground: late, category: early }, flat(0), 10)));
  assert(!holds(layerOrder({ figure_ground: early, category: early }, flat(0), 10)));
  assert(!holds(layerOrder({ figure_ground: early, category: late }, flat(0.6), 10)));
  const falling = steady([0.2, 0.6, 0.4, 0.4]);
  const order = layerOrder({ figure_ground: falling, category: late }, flat(0), 10);
  assertAlmostEquals(order.stays.effect, 2 / 3 - ORDER_RULE.kept);
  assert(!holds(order));
});

Deno.test("layerOrder() counts resamples in which figure-ground does not come first", () => {
  const early = steady([0.2, 0.6, 0.6]), late = steady([0.1, 0.56, 0.6], 0.1);
  late[2].resampled.fill(0.6);
  const { earlier } = layerOrder({ figure_ground: early, category: late }, flat(0), 10);
  assertAlmostEquals(earlier.p, 0.5, 0.01); // every other resample has category at 0.61 in layer 2
});

Deno.test("nearPaper() is above 0 where both layers are the paper's, give or take one", () => {
  const early = steady([0.2, 0.6, 0.6, 0.6]), late = steady([0.1, 0.2, 0.3, 0.5]);
  const near = (figureGround: number, category: number[]) =>
    nearPaper({ figure_ground: early, category: late }, { figureGround, category }, 10).effect;
  assertEquals([near(2, [4, 9]), near(3, [4]), near(3, [5]), near(2, [2])], [2, 1, 1, 0]);
});

Deno.test("difference() is the mean over layers, its p the share of resamples not above 0", () => {
  const more = steady([0.5, 0.7]), less = steady([0.4, 0.4]);
  const { effect, low, high, p } = difference(more, less, 10);
  for (const value of [effect, low, high]) assertAlmostEquals(value, 0.2);
  assertAlmostEquals(p, 0.001);
  assertEquals(difference(less, less, 10).p, 1);
});

Deno.test("pipelineTruth() counts every pixel of every image, in the classes that it shows", async () => {
  const pipeline = { images: sceneImages(2, 0), grid: { rows: 7, cols: 7 }, classes: ["", ...CATEGORIES] };
  const { figure_ground, category } = await pipelineTruth(pipeline);
  for (const { counts, classes } of [figure_ground, category]) {
    assertEquals(counts.length, 2 * 50 * classes);
    assertEquals(counts.reduce((sum, pixels) => sum + pixels, 0), 2 * 112 ** 2);
  }
});

Deno.test("segmentation() finds figure and ground where they part, in both kinds of graph", async () => {
  const pipeline = walkingPipeline({ partsAt: { clip: 3, stays: Infinity } });
  const labels = { classes: 2, counts: new Uint32Array(10 * 37 * 2) };
  for (const [i, image] of pipeline.images.entries()) {
    (await image.mask!()).data.forEach((figure, p) => labels.counts[2 * (i * 37 + 1 + p) + figure] = 1);
  }
  const graphs = (slots: number[], images: number) =>
    slots.map((slot) => {
      const { data, cols } = slotVectors(pipeline, slot, 4), rows = images * 37;
      return { slot, eigenvectors: { data: data.subarray(0, rows * cols), rows, cols } };
    });
  const all = pipeline.slots.map((_, slot) => slot);
  const found = await segmentation(
    pipeline,
    { figure_ground: labels, category: labels },
    { images: 6, before: graphs(all, 6), aligned: graphs([4], 6), noConstraint: graphs([0], 6) },
    0,
  );
  for (const [{ models }, images] of [[found.joint, 10], [found.single, 6]] as const) {
    const [clip, stays] = models;
    assertEquals(clip.order.reached.figure_ground.layer, 3, `seed ${testSeed}`);
    assert(clip.scores.figure_ground[4].value > 0.95, `seed ${testSeed}`);
    assert(stays.scores.figure_ground[4].value < 0.7, `seed ${testSeed}`);
    assert(!holds(clip.order)); // both kinds are alike here
    assertEquals(clip.scores.figure_ground[0].assigned.length, images * 37);
  }
  assertEquals(found.aligned.map(({ model, layer }) => `${model} ${layer}`), ["clip 5"]);
  assert(found.constraint.figure_ground.effect > 0.2 && found.constraint.figure_ground.p === 0.001);
  assertAlmostEquals(found.loss.figure_ground.effect, 0);
});
