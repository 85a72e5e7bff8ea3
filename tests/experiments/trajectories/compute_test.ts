import { assert, assertEquals, assertRejects } from "@std/assert";
import { partingOf, placeSeparation, trajectories } from "../../../src/experiments/trajectories/compute.ts";
import { testSeed } from "../../support/random.ts";
import { walkingPipeline } from "../../support/walking_pipeline.ts";
import { examplePixels } from "../../../src/experiments/shared/places.ts";

Deno.test("trajectories() finds the layer where figure leaves ground, and no layer where it never does", async () => {
  const pipeline = walkingPipeline({ partsAt: { apart: 3, together: Infinity } });
  const found = await trajectories(pipeline, 0);
  const [apart, together] = found.models;
  assertEquals([apart.model, apart.step.layer, apart.parting.p], ["apart", 3, 0.001], `seed ${testSeed}`);
  assert(apart.step.stability > 0.95);
  assert(together.parting.p > 0.01, `seed ${testSeed}`);
  assertEquals(apart.layers.map(({ separation }) => separation > 0.9), [false, false, true, true, true]);
  assert(apart.layers[3].figure.mean[0] > apart.layers[3].ground.mean[0] + 0.5);
  assertEquals(apart.examples.length, found.examples.length);
  assertEquals(apart.examples[0].length, 5);
});

Deno.test("trajectories() leaves out images without figure, and needs two with it", async () => {
  const pipeline = walkingPipeline({ partsAt: { apart: 3 } });
  const { width, height, data } = await pipeline.images[0].mask!();
  const empty = { width, height, data: data.map(() => 0) };
  pipeline.images[0].mask = () => Promise.resolve(empty);
  assertEquals((await trajectories(pipeline, 0)).images, pipeline.images.length - 1);
  for (const image of pipeline.images) image.mask = () => Promise.resolve(empty);
  await assertRejects(() => trajectories(pipeline, 0), Error, "0 of 10 images hold figure and ground");
  delete pipeline.images[4].mask;
  await assertRejects(() => trajectories(pipeline, 0), Error, "image 4 has no figure-ground mask");
});

Deno.test("placeSeparation() is 1 where all figures stand at one place, and judges an image by the others", () => {
  assertEquals([...placeSeparation([[0, 1, 1], [0, 1, 1], [0, 1, 1]])], [1, 1, 1]);
  assertEquals([...placeSeparation([[1, 0], [0, 1]])], [0, 0]);
});

Deno.test("examplePixels() are the middle of the figure and the ground farthest from it", () => {
  const labels = [
    0,
    0,
    0,
    0,
    1,
    1,
    1,
    0,
    0,
    0,
    0,
    0,
  ];
  assertEquals(
    examplePixels({ rows: 3, cols: 4 }, labels, 7).map(({ image, patch, kind }) => [image, patch, kind]),
    [[7, 5, "figure"], [7, 3, "ground"]],
  );
});

Deno.test("partingOf() asks for every part of the rule: the largest p counts", () => {
  const step = {
    at: 3,
    jump: 0.1,
    error: 1,
    lineError: 2,
    p: 0.001,
    stability: 0.9,
    lineP: 0.002,
    movedP: 0.003,
    interval: [0.05, 0.15] as [number, number],
  };
  const place = { effect: 0.1, low: 0, high: 0.2, p: 0.0001, n: 10 };
  assertEquals(partingOf(step, place), { effect: 0.1, low: 0.05, high: 0.15, p: 0.003, n: 10 });
  for (const change of [{ p: 0.2 }, { lineP: 0.2 }, { movedP: 0.2 }]) {
    assertEquals(partingOf({ ...step, ...change }, place).p, 0.2);
  }
  assertEquals(partingOf(step, { ...place, p: 0.2 }).p, 0.2);
  assertEquals(partingOf({ ...step, at: 0 }, place).p, 1);
});
