import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { closeGpu, fitSpace, openGpu, predictResponses } from "../../../mod.ts";
import { scoreOf } from "../../../src/pipeline/align_cache.ts";
import { ridgeScore } from "../../../src/experiments/brain_score/baselines.ts";
import {
  nearestOfOthers,
  sampleUniversality,
  shareBetween,
  universality,
} from "../../../src/experiments/brain_score/universality.ts";
import { balancedAccuracy } from "../../../src/statistics/balanced_accuracy.ts";
import { openRunData } from "../../../tasks/shared/open_data.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** Few scenes, which a small test has time for; the page brain-score has the whole data set's values and targets. */
Deno.test("all layers of the embedded models meet in one space, which raw features do not, and the encoder loses nothing", () =>
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

Deno.test("shareBetween(), balancedAccuracy() and nearestOfOthers() of nodes whose answers are known", async () => {
  const column = (...values: number[]) => ({ data: Float32Array.from(values), rows: values.length, cols: 1 });
  assertAlmostEquals(shareBetween(column(1, 1, 5, 5), [0, 0, 1, 1]), 1, 1e-12);
  assertAlmostEquals(shareBetween(column(1, 5, 1, 5), [0, 0, 1, 1]), 0, 1e-12);
  assertAlmostEquals(shareBetween(column(0, 2, 4, 6), [0, 0, 1, 1]), 0.8, 1e-12); // 16 of 20
  const nodes = { data: Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1, 1, 0), rows: 5, cols: 2 };
  assertEquals(balancedAccuracy(nodes, [0, 1, 2, 3], [1, 1, 0, 0, 0]), 1);
  // The fifth lies with the figures: one of three ground nodes is wrong.
  assertAlmostEquals(balancedAccuracy(nodes, [0, 1, 2, 3, 4], [1, 1, 0, 0, 0]), (1 + 2 / 3) / 2, 1e-12);
  assertEquals(balancedAccuracy(nodes, [0, 2, 4], [1, 255, 0, 0, 255]), 1); // unknown ones do not count
  // Of model b in other images one has the class of node 0, the nearest; two have 2 and 0. Nodes 1 and 2 find but node 0.
  const x = { data: Float32Array.of(1, 0, 1, 0.1, 0, 1, -1, 0, 1, 0), rows: 5, cols: 2 };
  const found = await nearestOfOthers(gpu, x, ["a", "b", "b", "b", "b"], [0, 1, 1, 2, 0], [1, 1, 2, 0, 0]);
  assertAlmostEquals(found, 2 / (1 / 3 + 1 + 0), 1e-12);
});
