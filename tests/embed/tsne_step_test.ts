import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu, trustworthiness, tsne } from "../../mod.ts";
import { SOFTEST } from "../../src/embed/descent.ts";
import { stepPoints } from "../support/tsne_on_host.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { perplexity as conditional } from "../reference/perplexity.ts";
import { divergence, tsneGradient, tsneStep } from "../reference/tsne_step.ts";

/** A symmetric P that sums to 1, a third of it zero. */
function jointMatrix(n: number): Float64Array {
  const random = randomMatrix(n, n).data;
  const p = new Float64Array(n * n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      if ((i + j) % 3) p[i * n + j] = p[j * n + i] = Math.abs(random[i * n + j]) + 1e-3;
    }
  }
  for (const value of p) sum += value;
  return p.map((value) => value / (sum || 1));
}

const padded = (n: number, key: number) => randomMatrix(n, 4, key).data.map((v, i) => i % 4 === 3 ? 0 : v);

Deno.test("the t-SNE reference gradient equals central differences of the divergence", () => {
  const n = 7, p = jointMatrix(n), y = Float64Array.from(padded(n, 3));
  for (const freedom of [1, 2]) {
    const gradient = tsneGradient(y, n, p, 1, freedom);
    const numeric = gradient.map((_, at) => {
      if (at % 4 === 3) return 0;
      const h = 1e-5;
      const shifted = (by: number) => divergence(p, y.map((v, i) => i === at ? v + by : v), n, freedom);
      return (shifted(h) - shifted(-h)) / (2 * h);
    });
    const note = `${freedom} degrees of freedom, seed ${testSeed}`;
    assertClose(gradient, numeric, { relative: 1e-6, absolute: 1e-9, note });
  }
});

Deno.test("stepPoints() equals the float64 reference", async (t) => {
  const gpu = await openGpu();
  for (const n of [2, 13, 130]) {
    await t.step(`${n} points`, async () => {
      const p = jointMatrix(n),
        y = padded(n, 3),
        update = padded(n, 4);
      for (const freedom of [1, 2]) {
        const settings = { momentum: 0.5, rate: 50, exaggeration: 12, freedom };
        const stepped = await stepPoints(gpu, y, n, p, update, settings);
        const expected = tsneStep(y, n, p, update, settings, SOFTEST);
        const note = `${freedom} degrees of freedom, seed ${testSeed}`;
        assertClose(stepped.y, expected.y, { relative: 1e-3, absolute: 1e-4, note });
        assertClose(stepped.update, expected.update, { relative: 1e-3, absolute: 1e-4, note });
      }
    });
  }
  closeGpu(gpu);
});

Deno.test("tsne() reports the divergence of its points, with ν = dimensions − 1", async () => {
  const gpu = await openGpu();
  const n = 50, d = 6, wanted = 8, k = 3 * wanted + 1, x = randomMatrix(n, d), p = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const distance = (j: number) => {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += (x.data[i * d + c] - x.data[j * d + c]) ** 2;
      return sum;
    };
    const others = [...Array(n).keys()].filter((j) => j !== i);
    const near = others.sort((a, b) => distance(a) - distance(b)).slice(0, k);
    conditional(near.map((j) => -distance(j)), k, wanted).forEach((value, at) => {
      p[i * n + near[at]] += value / (2 * n);
      p[near[at] * n + i] += value / (2 * n);
    });
  }
  for (const dimensions of [2, 3] as const) {
    const { points, kl } = await tsne(gpu, x, { dimensions, perplexity: wanted, iterations: 120 });
    const y = Float64Array.from(
      { length: 4 * n },
      (_, at) => at % 4 < dimensions ? points.data[Math.floor(at / 4) * dimensions + at % 4] : 0,
    );
    const expected = divergence(p, y, n, dimensions - 1);
    assertClose([kl], [expected], { relative: 2e-3, note: `${dimensions} dimensions, seed ${testSeed}` });
  }
  closeGpu(gpu);
});

Deno.test("tsne() moves on with a momentum of 0.9 after the early steps", async () => {
  const gpu = await openGpu();
  const n = 60, x = randomMatrix(n, 5);
  const after = async (iterations: number) =>
    // of fewer than 4 steps none is early
    (await tsne(gpu, x, { dimensions: 2, iterations, learningRate: n * 1e-3 })).points.data;
  const [start, one, two, three] = [await after(0), await after(1), await after(2), await after(3)];
  // Steps so small that the gradient g stays: −g, then −(m + 1) g, then −(m (m + 1) + 1) g.
  const m = 0.9, moved = (from: Float32Array, to: Float32Array) => to.map((value, i) => value - from[i]);
  const first = moved(start, one);
  const note = `seed ${testSeed}`;
  assertClose(moved(one, two), first.map((v) => v * (m + 1)), { relative: 0.02, note });
  assertClose(moved(two, three), first.map((v) => v * (m * (m + 1) + 1)), {
    relative: 0.02,
    note,
  });
  closeGpu(gpu);
});

Deno.test("tsne() keeps neighbourhoods, repeats itself bit for bit, and refuses what it cannot map", async () => {
  const gpu = await openGpu();
  const n = 301, d = 10;
  const x = randomMatrix(n, d);
  for (let i = 0; i < n; i++) x.data[i * d + i % 5] += 8; // five clusters
  const first = await tsne(gpu, x, { dimensions: 2, iterations: 300, seed: 3 });
  const again = await tsne(gpu, x, { dimensions: 2, iterations: 300, seed: 3 });
  assertEquals(first.points.data, again.points.data);
  assert(
    trustworthiness(x, first.points) > 0.85,
    `trustworthiness ${trustworthiness(x, first.points)}, seed ${testSeed}`,
  );
  const short = await tsne(gpu, x, { dimensions: 2, iterations: 60, seed: 3 });
  assert(first.kl < short.kl, `KL ${first.kl} after 300 steps, ${short.kl} after 60`);
  await assertRejects(
    () => tsne(gpu, { data: new Float32Array(6), rows: 3, cols: 2 }),
    RangeError,
    "t-SNE takes 4 to 20000 points in 3 dimensions, not 3",
  );
  x.data[17] = NaN;
  await assertRejects(() => tsne(gpu, x), RangeError, "point 1 has NaN");
  closeGpu(gpu);
});
