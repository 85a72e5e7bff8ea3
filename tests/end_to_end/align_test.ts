import { takeRows } from "../../src/linalg/host_matrix.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { closeGpu, type Matrix, openGpu } from "../../mod.ts";
import { type AlignData, alignData } from "../../src/align/data.ts";
import { applyAlign, brainSpace, predictResponses, slotTransform } from "../../src/align/model.ts";
import { fitSpace } from "../../src/align/space.ts";
import { openTarget, releaseTarget, targetGradient } from "../../src/align/target_loss.ts";
import { trainAlign } from "../../src/align/train.ts";
import { trim } from "../../src/gpu/mod.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { clusteredMatrix } from "../support/clustered.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import type { AlignOptions, AlignState } from "../../src/align/train_options.ts";
import { dataOf, problem, QUICK, SLOTS, VOXELS } from "../support/align_problem.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
/** Pearson r of all entries. */
function correlation(a: Matrix, b: Matrix): number {
  const mean = (x: Matrix) => x.data.reduce((sum, value) => sum + value, 0) / x.data.length;
  const [ma, mb] = [mean(a), mean(b)];
  let ab = 0, aa = 0, bb = 0;
  a.data.forEach((value, i) => {
    ab += (value - ma) * (b.data[i] - mb);
    aa += (value - ma) ** 2;
    bb += (b.data[i] - mb) ** 2;
  });
  return ab / Math.sqrt(aa * bb);
}

Deno.test("trainAlign() predicts responses to images it never saw", async () => {
  const all = problem(400),
    rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const part = (from: number, to: number) => ({
    pooled: takeRows(all.pooled, rows(from, to)),
    responses: takeRows(all.responses, rows(from, to)),
    tokens: all.tokens,
  });
  const test = part(320, 400);
  const { model, history } = await trainAlign(gpu, dataOf(part(0, 320)), {
    width: 16,
    epochs: 30,
    batch: 32,
    rate: 0.03,
    eigenWeight: 0.1,
    components: 4,
    nodes: 80,
    constrainEvery: 8,
  });
  const r = correlation(await predictResponses(gpu, model, test.pooled), test.responses);
  assert(r > 0.9, `r ${r}, ${note}`);
  assert(history.at(-1)!.brain < history[0].brain);
  assert(history.every(({ eigen, zero, covariance }) => eigen > 0 && zero > 0 && covariance > 0));
});

/** Offsets and units that differ between slots by thousands. */
function unscaled({ pooled, responses, tokens }: ReturnType<typeof problem>) {
  const unit = (column: number) => column < 13 ? 0.03 : column < 26 ? 1 : 40;
  return {
    pooled: { ...pooled, data: pooled.data.map((value, at) => unit(at % 46) * (value + 2)) },
    responses,
    tokens: tokens.map((matrix, slot) => ({
      ...matrix,
      data: matrix.data.map((value) => unit([0, 13, 26][slot]) * value),
    })),
  };
}

/** The same data, and the images of every call of pooled(). */
function watched(data: AlignData): { data: AlignData; asked: number[][] } {
  const asked: number[][] = [];
  return {
    asked,
    data: { ...data, pooled: (images) => (asked.push([...images]), data.pooled(images)) },
  };
}

Deno.test("trainAlign() returns the best epoch, whose unscaled model has the validation loss that was reported", async () => {
  const all = unscaled(problem(48)), noise = randomMatrix(48, VOXELS, 9); // noise: what is learned soon harms
  for (const responses of [all.responses, { ...noise, data: noise.data.map((value) => value + 3) }]) {
    const { data, asked } = watched(dataOf({ ...all, responses }));
    const options = { ...QUICK, width: 40, epochs: 6, batch: 99, rate: 0.1, eigenWeight: 0, patience: 99 };
    const { model, history, bestEpoch } = await trainAlign(gpu, data, options);
    const losses = history.map(({ validation }) => validation);
    assertEquals(losses[bestEpoch - 1], Math.min(...losses));
    if (responses !== all.responses) assert(bestEpoch < 6, `${losses}, ${note}`);

    const [training, held] = asked.slice(-2);
    assertEquals([...training, ...held].sort((a, b) => a - b), [...Array(48).keys()]);
    assertEquals(held.length, 5);
    assertEquals(asked[0], training.toSorted((a, b) => a - b)); // means and scales are of training images only
    const predicted = await predictResponses(gpu, model, takeRows(all.pooled, held));
    const measured = takeRows(responses, held);
    let loss = 0;
    predicted.data.forEach((value, at) => loss += Math.abs(value - measured.data[at]) / measured.data.length);
    assertClose([loss], [losses[bestEpoch - 1]], { relative: 1e-4, note });

    const sinceBest = losses.map((_, i) => i - losses.indexOf(Math.min(...losses.slice(0, i + 1))));
    const end = sinceBest.indexOf(2); // two epochs without a better one
    const stopped = await trainAlign(gpu, dataOf({ ...all, responses }), { ...options, patience: 2 });
    assertEquals(stopped.history.length, end < 0 ? 6 : end + 1, `${losses}, ${note}`);
  }
});

Deno.test("trainAlign() sees slots in one scale, whatever the units of their pooled features and nodes", async () => {
  const [one, other] = [problem(60), unscaled(problem(60))].map(dataOf);
  const { history } = await trainAlign(gpu, one, QUICK),
    found = (await trainAlign(gpu, other, QUICK)).history;
  for (const name of ["brain", "validation", "eigen", "zero", "covariance"] as const) {
    const of = (epochs: typeof history) => epochs.map((epoch) => epoch[name]);
    assertClose(of(found), of(history), { relative: 0.02, note: `${name}, ${note}` });
  }
});

/** W after epochs of one step each, and its running mean gradient, with the steps' rate as given. */
async function firstSteps(data: AlignData, options: AlignOptions, stop = 1): Promise<AlignState> {
  let state: AlignState | null = null;
  const checkpoint = {
    load: () => Promise.resolve(null),
    save: (now: AlignState) => {
      state = structuredClone(now);
      return now.history.length === stop ? Promise.reject(new Error("stopped")) : Promise.resolve();
    },
  };
  await assertRejects(() => trainAlign(gpu, data, { ...options, checkpoint }), Error, "stopped");
  return state!;
}

Deno.test("trainAlign() weighs a constraint taken on every n-th step n times", async () => {
  const data = dataOf(problem(40)), off = { eigenWeight: 0, zeroWeight: 0, covarianceWeight: 0 };
  const settings = { ...QUICK, rate: 0, validation: 0.1 }; // nothing moves: every step sees the same W
  const momentum = async (options: AlignOptions, every: number) => {
    // one epoch of `every` steps, the last of them constrained
    const steps = { ...settings, ...off, ...options, constrainEvery: every, batch: Math.ceil(36 / every) };
    return (await firstSteps(data, steps)).parameters[0][1].data;
  };
  const without = [await momentum({}, 1), await momentum({}, 3)];
  for (const name of ["eigenWeight", "zeroWeight", "covarianceWeight"] as const) {
    const [once, third] = [await momentum({ [name]: 1 }, 1), await momentum({ [name]: 1 }, 3)];
    const expected = once.map((value, at) => 3 * (value - without[0][at]));
    const largest = Math.max(...expected.map(Math.abs));
    assert(largest > 1e-6, `${name}: ${largest}`);
    assertClose(third.map((value, at) => value - without[1][at]), expected, {
      relative: 0.01,
      absolute: 1e-7,
      note: `${name}, ${note}`,
    });
  }
});

Deno.test("trainAlign() warms up over a twentieth of the steps, then follows a cosine", async () => {
  const data = dataOf(problem(40)), settings = { ...QUICK, batch: 99, eigenWeight: 0, rate: 0.01 };
  const [start] = (await firstSteps(data, { ...settings, rate: 0 })).parameters[2];
  for (const epochs of [400, 100, 20, 2]) { // AdamW's first step moves ε by the rate
    const [epsilon] = (await firstSteps(data, { ...settings, epochs })).parameters[2];
    const share = 1 / epochs, cosine = 0.5 * (1 + Math.cos(Math.PI * (share - 0.05) / 0.95));
    const expected = 0.01 * (share < 0.05 ? share / 0.05 : cosine);
    const moved = Math.max(...epsilon.data.map((value, at) => Math.abs(value - start.data[at])));
    assertClose([moved], [expected], { relative: 0.02, note: `${epochs} epochs, ${note}` });
  }
});

Deno.test("the gradient of L_target equals central differences", async () => {
  const images = 20, cols = 5, rows = SLOTS.reduce((sum, { width }) => sum + width, 0), weight = 3;
  const pooled = randomMatrix(images, rows, 4),
    start = randomMatrix(rows, cols, 5),
    w = randomMatrix(rows, cols, 6);
  /** In float64. */
  const loss = (w: Float64Array) => {
    let sum = 0, first = 0;
    for (const { width } of SLOTS) {
      let moved = 0, squares = 0;
      for (let i = 0; i < images; i++) {
        for (let c = 0; c < cols; c++) {
          let now = 0, then = 0;
          for (let k = first; k < first + width; k++) {
            now += pooled.data[i * rows + k] * w[k * cols + c];
            then += pooled.data[i * rows + k] * start.data[k * cols + c];
          }
          moved += (now - then) ** 2;
          squares += then ** 2;
        }
      }
      sum += weight * moved / squares / SLOTS.length;
      first += width;
    }
    return sum;
  };
  const target = await openTarget(gpu, SLOTS, pooled, start, weight);
  const [value, gradient] = [w, { ...w, data: new Float32Array(rows * cols) }].map((x) =>
    uploadMatrix(gpu, x, "W")
  );
  targetGradient(gpu, target, SLOTS, value, gradient);
  const { data } = await downloadMatrix(gpu, gradient);
  releaseTarget(gpu, target);
  releaseMatrix(gpu, value, gradient);
  const expected = Float64Array.from(data, (_, at) => {
    const step = 1e-5, there = Float64Array.from(w.data), back = Float64Array.from(w.data);
    there[at] += step;
    back[at] -= step;
    return (loss(there) - loss(back)) / (2 * step);
  });
  assertClose(data, expected, { relative: 1e-4, note });
});

Deno.test("trainAlign() starts where it is told, keeps its means, and is kept near by the target's weight", async () => {
  const given = problem(60), data = dataOf(given);
  const start = (await fitSpace(gpu, SLOTS, given.pooled, given.responses, { components: 3 })).model;
  const settings = { eigenWeight: 0, zeroWeight: 0, covarianceWeight: 0, decay: 0, epochs: 3, batch: 16 };
  const still = (await trainAlign(gpu, data, { ...settings, start, rate: 1e-12 })).model;
  assertEquals(still.means, start.means);
  const before = await predictResponses(gpu, start, given.pooled);
  assertClose((await predictResponses(gpu, still, given.pooled)).data, before.data, { relative: 1e-4, note });
  const moved = async (targetWeight: number) => {
    const { model } = await trainAlign(gpu, data, { ...settings, start, rate: 0.02, targetWeight });
    const differences = model.transforms.data.map((value, at) => value - start.transforms.data[at]);
    return Math.hypot(...differences) / Math.hypot(...start.transforms.data);
  };
  const [free, kept] = [await moved(0), await moved(1e6)];
  assert(kept < 0.5 * free, `${kept} of ${free}`);
});

Deno.test("trainAlign() lowers the eigen-constraint when it has a weight", async () => {
  const data = dataOf(problem(96));
  const options = {
    ...QUICK,
    epochs: 12,
    constrainEvery: 1,
    patience: 99,
    zeroWeight: 0,
    covarianceWeight: 0,
  };
  const free = await trainAlign(gpu, data, { ...options, eigenWeight: 1e-9 });
  const held = await trainAlign(gpu, data, { ...options, eigenWeight: 3 });
  const last = (run: typeof free) => run.history.slice(-2).reduce((sum, { eigen }) => sum + eigen, 0);
  assert(last(held) < 0.8 * last(free), `${last(held)} held, ${last(free)} free, ${note}`);
});

Deno.test("trainAlign() gives the same bits twice, and when stopped after any epoch", async () => {
  const data = dataOf(problem(96));
  const whole = await trainAlign(gpu, data, QUICK);
  for (const stop of [1, 3]) {
    let kept: AlignState | null = null;
    const checkpoint = {
      load: () => Promise.resolve(structuredClone(kept)),
      save: (state: AlignState) => {
        if (state.history.length > stop && kept === null) throw new Error("never reached");
        kept = structuredClone(state);
        if (state.history.length === stop) return Promise.reject(new Error("killed"));
        return Promise.resolve();
      },
    };
    await assertRejects(() => trainAlign(gpu, data, { ...QUICK, checkpoint }), Error, "killed");
    const resumed = await trainAlign(gpu, data, { ...QUICK, checkpoint });
    assertEquals(resumed.history, whole.history);
    for (const name of ["transforms", "beta"] as const) {
      assertSameBits(resumed.model[name].data, whole.model[name].data, `${name}, ${note}`);
    }
    assertSameBits(resumed.model.epsilon, whole.model.epsilon, note);
  }
});

Deno.test("trainAlign() takes no more GPU memory for more images, and what its comment states", async () => {
  const peaks = [];
  for (const images of [96, 768]) {
    trim(gpu);
    gpu.memory.peak = gpu.memory.inUse;
    const before = gpu.memory.inUse;
    await trainAlign(gpu, dataOf(problem(images)), { ...QUICK, epochs: 1 });
    assertEquals(gpu.memory.inUse, before);
    peaks.push(gpu.memory.peak - before);
  }
  assert(Math.abs(peaks[1] - peaks[0]) <= 0.02 * peaks[0], `${peaks} bytes`);

  trim(gpu);
  gpu.memory.peak = gpu.memory.inUse;
  const before = gpu.memory.inUse, width = 64, voxels = 8192, images = 40, batch = 16;
  const slots = [{ name: "a", width: 512 }, { name: "b", width: 512 }];
  const data = alignData(slots, randomMatrix(images, 1024), randomMatrix(images, voxels, 1), [
    ...[2, 3].map((key) => clusteredMatrix(200, 512, 4, 0.4, key)),
  ]);
  await trainAlign(gpu, data, { width, batch, epochs: 1, nodes: 100, components: 4 });
  const textures = gpu.variant === "textures" ? width * voxels : 0;
  const stated = 4 *
    (4 * (1024 * width + width * voxels) + textures + batch * (1024 + 2 * voxels) + 8 * 100 * 100);
  const taken = gpu.memory.peak - before;
  assert(taken <= 1.1 * stated, `${taken} bytes taken, ${stated} stated`);
});

Deno.test("predictResponses() is the sum of every slot's mean brain space plus ε", async () => {
  const data = dataOf(problem(64));
  const { model } = await trainAlign(gpu, data, { ...QUICK, epochs: 1 });
  const tokens = SLOTS.map(({ width }, slot) => randomMatrix(5, width, 20 + slot));
  const expected = Float64Array.from(model.epsilon), pooled = new Float32Array(46);
  let first = 0;
  for (const [slot, { data: values, cols }] of tokens.entries()) {
    values.forEach((value, at) => pooled[first + at % cols] += value / 5);
    first += cols;
    const activation = await brainSpace(gpu, model, slot, tokens[slot]);
    activation.data.forEach((value, at) => expected[at % VOXELS] += value / 5);
  }
  const found = await predictResponses(gpu, model, { data: pooled, rows: 1, cols: 46 });
  assertClose(found.data, expected, { relative: 1e-5, note });

  const aligned = await applyAlign(gpu, model, 2, tokens[2]), { data: w, cols } = slotTransform(model, 2);
  let value = 0, scale = 0;
  for (let k = 0; k < 20; k++) {
    const term = tokens[2].data[k] * w[k * cols];
    value += term;
    scale += Math.abs(term);
  }
  assertClose([aligned.data[0]], [value], { relative: 1e-5, scale, note });
});

Deno.test("align names what does not fit", async () => {
  const { pooled, responses, tokens } = problem(8);
  const { model } = await trainAlign(gpu, dataOf(problem(32)), { ...QUICK, epochs: 1, eigenWeight: 0 });
  assertThrows(
    () => slotTransform(model, 3),
    RangeError,
    "There is no slot 3: this alignment has 3 slots, counted from 0.",
  );
  await assertRejects(
    () => applyAlign(gpu, model, 0, randomMatrix(2, 5)),
    RangeError,
    "The features have 5 channels, a L1 was trained on 13: they must be equal.",
  );
  assertThrows(
    () => alignData(SLOTS.slice(1), pooled, responses, tokens.slice(1)),
    RangeError,
    "pooled has 46 columns, the slots 33 channels together: they must be equal.",
  );
  await assertRejects(
    () => trainAlign(gpu, dataOf(problem(32)), { ...QUICK, nodes: 301 }),
    RangeError,
    "tokens of", // which slot comes first is drawn
  );
  responses.data[3 * VOXELS + 5] = NaN;
  await assertRejects(
    () => trainAlign(gpu, alignData(SLOTS, pooled, responses, tokens), QUICK),
    RangeError,
    "Image 3 has NaN in voxel 5; every value must be finite: check how it was made.",
  );
});
