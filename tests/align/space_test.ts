import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, type Matrix, openGpu } from "../../mod.ts";
import { crossValidationFolds } from "../../src/align/folds.ts";
import { applyAlign, brainSpace, predictResponses, slotOffset } from "../../src/align/model.ts";
import { fitSlot, fitSpace } from "../../src/align/space.ts";
import { loadAlign, saveAlign } from "../../src/data/fits/align_file.ts";
import { assertClose } from "../support/assert_close.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { space as reference } from "../reference/space.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
const ALPHAS = [10, 1, 0.1, 0.01, 0.001], GAMMAS = [1, 0.3, 0.1, 0.03, 0.01];

/** Slots that see some of six causes, far from the origin, and voxels that are made of them. */
function problem(images: number, widths: number[], voxels: number, key = 0) {
  const causes = randomMatrix(images, 6, 10 + key),
    slots = widths.map((width, l) => ({ name: `m L${l + 1}`, width }));
  const mix = (cols: number, seed: number, noise: number) => {
    const map = randomMatrix(6, cols, seed), rest = randomMatrix(images, cols, seed + 50 + key);
    const data = Float32Array.from(rest.data, (value, at) => {
      let sum = noise * value + 3 * (at % cols);
      for (let k = 0; k < 6; k++) {
        sum += causes.data[Math.floor(at / cols) * 6 + k] * map.data[k * cols + at % cols] / (1 + k);
      }
      return sum;
    });
    return { data, rows: images, cols };
  };
  const parts = widths.map((width, l) => mix(width, 20 + l, 0.2)), cols = widths.reduce((a, b) => a + b, 0);
  const pooled = { data: new Float32Array(images * cols), rows: images, cols };
  let first = 0;
  for (const part of parts) {
    for (let i = 0; i < images; i++) {
      pooled.data.set(part.data.subarray(i * part.cols, (i + 1) * part.cols), i * cols + first);
    }
    first += part.cols;
  }
  return { slots, parts, pooled, responses: mix(voxels, 40, 0.3) };
}

function rowsOf({ data, cols }: Matrix, from: number, count: number, first: number, width: number): number[] {
  return Array.from({ length: count }, (_, i) => [
    ...data.subarray((from + i) * cols + first, (from + i) * cols + first + width),
  ]).flat();
}

Deno.test("fitSpace() equals the float64 reference, which leaves images out one by one", async (t) => {
  for (
    const [images, widths, voxels, components, weighted] of [
      [30, [5, 9], 17, 4, false],
      [23, [40, 3, 7], 11, 6, true],
      [71, [6], 5, 5, false],
    ] as const
  ) {
    await t.step(`${images} images, widths ${widths}, ${components} components`, async () => {
      const { slots, pooled, responses } = problem(images, [...widths], voxels);
      const noiseCeiling = weighted ? Array.from({ length: voxels }, (_, v) => 0.1 + 0.08 * v) : undefined;
      const found = await fitSpace(gpu, slots, pooled, responses, { components, noiseCeiling });
      const settings = {
        components,
        alphas: ALPHAS,
        gammas: GAMMAS,
        ceiling: noiseCeiling,
        folds: crossValidationFolds(images, 5, 0),
      };
      const expected = reference(slots, pooled, responses, settings);
      assertEquals(found.model.transforms.cols, 2 * components);
      slots.forEach(({ width }, l) => {
        assertEquals(found.fits[l].alpha, expected.fits[l].alpha);
        assertAlmostEquals(found.fits[l].explained, expected.fits[l].explained, 1e-3);
        const first = slotOffset(slots, l);
        for (const [from, truth] of [[0, expected.shared], [components, expected.further]] as const) {
          const own = rowsOf(found.model.transforms, first, width, from, components);
          assertClose(own, truth[l].flatMap((row) => [...row]), { relative: 2e-3, note });
        }
      });
      const fitted = await predictResponses(gpu, found.model, pooled);
      const center = Array.from(
        { length: voxels },
        (_, v) => responses.data.filter((_, at) => at % voxels === v).reduce((a, b) => a + b) / images,
      );
      const truth = expected.fitted.flatMap((row) => [...row].map((value, v) => value + center[v]));
      assertClose(fitted.data, truth, { relative: 1e-3, note });
    });
  }
});

Deno.test("fitSpace() predicts images it never saw, gives equal channels equal meaning, and the same bits twice", async () => {
  const all = problem(200, [12, 20, 16], 40);
  const part = ({ data, cols }: Matrix, from: number, to: number) => ({
    data: data.subarray(from * cols, to * cols),
    rows: to - from,
    cols,
  });
  const fit = () => fitSpace(gpu, all.slots, part(all.pooled, 0, 150), part(all.responses, 0, 150));
  const space = await fit(), again = await fit();
  assertEquals(again.model.transforms.data, space.model.transforms.data);
  const { data } = await predictResponses(gpu, space.model, part(all.pooled, 150, 200));
  const truth = part(all.responses, 150, 200).data;
  const r = correlation(
    data.map((value, at) => value - space.center[at % 40]),
    truth.map((v, at) => v - space.center[at % 40]),
  );
  assert(r > 0.45, `${r}, ${note}`);
  // The first component of held-out images, as slots of different models see it.
  const [a, b] = await Promise.all([0, 1].map(async (l) => {
    const { data, cols } = await applyAlign(gpu, space.model, l, part(all.parts[l], 150, 200));
    return data.filter((_, at) => at % cols === 0);
  }));
  assert(correlation(a, b) > 0.5, `${correlation(a, b)}, ${note}`);
});

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>) => Array.from(x).reduce((s, v) => s + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

Deno.test("brain space is what a slot's shared channels predict by themselves", async () => {
  const { slots, parts, pooled, responses } = problem(60, [5, 9], 17);
  const { model, center } = await fitSpace(gpu, slots, pooled, responses, { components: 4 });
  const spaces = await Promise.all(parts.map((part, l) => brainSpace(gpu, model, l, part)));
  const sum = spaces[0].data.map((value, at) => value + spaces[1].data[at] + center[at % 17]);
  const without = { ...model, beta: { ...model.beta, data: model.beta.data.slice().fill(0, 4 * 17) } };
  assertClose(sum, (await predictResponses(gpu, without, pooled)).data, { relative: 1e-5, note });
});

Deno.test("fitSlot() brings a slot where fitSpace() would have, from the same images or others, and leaves the rest", async () => {
  const { slots, parts, pooled, responses } = problem(160, [12, 20, 16], 40);
  const space = await fitSpace(gpu, slots, pooled, responses);
  const joined = await fitSlot(gpu, space, { name: "new L1", width: 20 }, parts[1], responses);
  const half = space.model.transforms.cols / 2;
  const own = rowsOf(space.model.transforms, 12, 20, 0, half);
  assertClose(rowsOf(joined.model.transforms, 48, 20, 0, half), own, { relative: 1e-3, note });
  assertEquals(joined.model.transforms.data.subarray(0, 48 * 2 * half), space.model.transforms.data);
  assertEquals(joined.fits[3].alpha, space.fits[1].alpha);
  // The sum over four slots predicts as the one over three did.
  const wide = { data: new Float32Array(160 * 68), rows: 160, cols: 68 };
  for (let i = 0; i < 160; i++) {
    wide.data.set(pooled.data.subarray(i * 48, (i + 1) * 48), i * 68);
    wide.data.set(parts[1].data.subarray(i * 20, (i + 1) * 20), i * 68 + 48);
  }
  const [before, after] = [
    await predictResponses(gpu, space.model, pooled),
    await predictResponses(gpu, joined.model, wide),
  ];
  assert(correlation(before.data, after.data) > 0.99);
  const other = problem(90, [12, 20, 16], 40, 5);
  const elsewhere = await fitSlot(gpu, space, { name: "new L1", width: 20 }, other.parts[1], other.responses);
  const [a, b] = await Promise.all([1, 3].map((slot) => applyAlign(gpu, elsewhere.model, slot, parts[1])));
  const first = ({ data, cols }: Matrix) => data.filter((_, at) => at % cols === 0);
  assert(correlation(first(a), first(b)) > 0.9, `${correlation(first(a), first(b))}, ${note}`);
});

Deno.test("fitSlot() from images of another mean response puts tokens where the space's own images put them", async () => {
  const { slots, parts, pooled, responses } = problem(160, [12, 20, 16], 40);
  const space = await fitSpace(gpu, slots, pooled, responses, { components: 6 });
  // The half of the images that excite a channel of another slot most.
  const order = [...Array(160).keys()].sort((a, b) => parts[0].data[b * 12] - parts[0].data[a * 12]);
  const half = ({ data, cols }: Matrix) => ({
    data: Float32Array.from(order.slice(0, 80).flatMap((i) => [...data.subarray(i * cols, (i + 1) * cols)])),
    rows: 80,
    cols,
  });
  const joined = await fitSlot(gpu, space, { name: "new L1", width: 20 }, half(parts[1]), half(responses));
  const { data, cols } = await applyAlign(gpu, joined.model, 3, parts[1]), shared = space.model.shared!;
  const meanOf = (values: Float32Array) =>
    Array.from({ length: shared }, (_, c) => values.filter((_, at) => at % cols === c))
      .reduce((sum, own) => sum + (own.reduce((a, b) => a + b, 0) / 160) ** 2, 0);
  const offset = joined.model.offsets!.data.subarray(3 * cols, 4 * cols);
  const without = data.map((value, at) => value - offset[at % cols]);
  // The space's own images have the mean 0 in it.
  assert(meanOf(data) < 0.3 * meanOf(without), `${meanOf(data)}, ${meanOf(without)}, ${note}`);
  const wide = { data: new Float32Array(160 * 68), rows: 160, cols: 68 };
  for (let i = 0; i < 160; i++) {
    wide.data.set(pooled.data.subarray(i * 48, (i + 1) * 48), i * 68);
    wide.data.set(parts[1].data.subarray(i * 20, (i + 1) * 20), i * 68 + 48);
  }
  const bias = (predicted: Matrix) =>
    Math.abs(predicted.data.reduce((sum, value, at) => sum + value - responses.data[at], 0)) / 160 / 40;
  assert(bias(await predictResponses(gpu, joined.model, wide)) < 0.05, note);
  // Brain space of the slot's mean is that of its offset, and what is saved comes back.
  const mean = joined.model.means!.subarray(48);
  const [atMean, through] = await Promise.all([
    brainSpace(gpu, joined.model, 3, { data: mean, rows: 1, cols: 20 }),
    brainSpace(gpu, { ...joined.model, offsets: undefined }, 3, { data: mean, rows: 1, cols: 20 }),
  ]);
  assertClose(through.data, new Float32Array(40), { relative: 0, absolute: 1e-5, note });
  assert(atMean.data.some((value) => Math.abs(value) > 0.01), note);
  await inTemporaryFolder(async (root) => {
    const { model, ...rest } = joined;
    await saveAlign(`${root}/a.arrow`, { model, space: rest, options: {}, history: [] });
    assertEquals((await loadAlign(`${root}/a.arrow`)).model, model);
  });
});

Deno.test("fitSlot() chooses the same penalty when all responses are higher, as a mean is no error", async () => {
  const { slots, pooled, responses } = problem(160, [12, 20], 40);
  const space = await fitSpace(gpu, slots, pooled, responses);
  const other = problem(90, [12, 20], 40, 5), slot = { name: "new L1", width: 20 };
  const higher = { ...other.responses, data: other.responses.data.map((value) => value + 30) };
  const [near, far] = [
    await fitSlot(gpu, space, slot, other.parts[1], other.responses),
    await fitSlot(gpu, space, slot, other.parts[1], higher),
  ].map(({ fits, model }) => ({
    fit: fits[2],
    added: model.transforms.data.subarray(32 * model.transforms.cols),
  }));
  assertEquals(far.fit.alpha, near.fit.alpha, note);
  assertAlmostEquals(far.fit.explained, near.fit.explained, 1e-3, note);
  assert(near.fit.explained > 0, `${near.fit.explained}, ${note}`);
  assertClose(far.added, near.added, { relative: 1e-3, note });
});

Deno.test("responses of fewer components than asked for make a smaller space, which comes back from its file", () =>
  inTemporaryFolder(async (root) => {
    const { slots, pooled, responses } = problem(40, [5, 9], 17);
    const two = { ...responses, data: responses.data.map((_, at) => responses.data[at - at % 17 + at % 2]) };
    const { model, ...space } = await fitSpace(gpu, slots, pooled, two, { components: 8 });
    assertEquals([space.basis.cols, model.shared, model.transforms.cols], [2, 2, 4]);
    await saveAlign(`${root}/a.arrow`, { model, space, options: {}, history: [] });
    assertEquals((await loadAlign(`${root}/a.arrow`)).model, model);
  }));

Deno.test("an aligned space comes back from its file as it was, and takes further slots", () =>
  inTemporaryFolder(async (root) => {
    const { slots, parts, pooled, responses } = problem(40, [5, 9], 17);
    const { model, ...space } = await fitSpace(gpu, slots, pooled, responses, { components: 4 });
    const path = `${root}/align.arrow`;
    await saveAlign(path, { model, space, options: { alignment: "ridge" }, history: [] });
    const loaded = await loadAlign(path);
    assertEquals(loaded.model, model);
    assertEquals(loaded.space, space);
    const joined = await fitSlot(
      gpu,
      { model: loaded.model, ...loaded.space! },
      { name: "b L1", width: 9 },
      parts[1],
      responses,
    );
    assertEquals(joined.model.slots.length, 3);
  }));

Deno.test("fitSpace() and fitSlot() say in a sentence what they cannot take", async () => {
  const { slots, parts, pooled, responses } = problem(30, [5, 9], 17);
  const constant = { ...pooled, data: pooled.data.map((value, at) => at % 14 < 5 ? 2 : value) };
  const flat = { ...responses, data: responses.data.map((_, at) => at % 17) };
  const few = (x: Matrix) => ({ ...x, rows: 9, data: x.data.subarray(0, 9 * x.cols) });
  const nan = { ...responses, data: responses.data.with(3 * 17 + 2, NaN) };
  const space = await fitSpace(gpu, slots, pooled, responses, { components: 4 });
  for (
    const [run, sentence] of [
      [
        () => fitSpace(gpu, slots, constant, responses),
        "The pooled features of m L1 are the same in all images",
      ],
      [() => fitSpace(gpu, slots, pooled, flat), "are the same in every voxel that counts"],
      [
        () => fitSpace(gpu, slots, few(pooled), few(responses)),
        "There are 9 images: a space is fitted on at least 10.",
      ],
      [() => fitSpace(gpu, slots, pooled, nan), "holds NaN in image 3, voxel 2"],
      [
        () => fitSpace(gpu, slots.slice(1), pooled, responses),
        "pooled has 14 columns, the 1 slots 9 channels together",
      ],
      [
        () => fitSpace(gpu, slots, pooled, responses, { noiseCeiling: new Array(17).fill(0.5).with(4, NaN) }),
        "The noise ceiling of voxel 4 is NaN",
      ],
      [
        () => fitSpace(gpu, slots, pooled, responses, { noiseCeiling: [1, 1] }),
        "There are noise ceilings of 2 voxels, and 17 voxels",
      ],
      [() => fitSlot(gpu, space, slots[0], parts[0], responses), "The space has a slot m L1 already"],
      [
        () => fitSlot(gpu, space, { name: "b", width: 5 }, parts[0], few(responses)),
        "x has 30 images, y 9: they must be equal.",
      ],
      [
        () => fitSlot(gpu, space, { name: "b", width: 5 }, parts[0], parts[1]),
        "There are responses of 9 voxels, the space was fitted on 17",
      ],
    ] as [() => Promise<unknown>, string][]
  ) await assertRejects(run, RangeError, sentence);
});
