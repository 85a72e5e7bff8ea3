import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu, trustworthiness, tsne } from "../mod.ts";
import { stepPoints } from "../src/embed/tsne.ts";
import { assertClose } from "./assert_close.ts";
import { randomMatrix, testSeed } from "./random.ts";
import { divergence, tsneGradient, tsneStep } from "./reference/tsne_step.ts";

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
        update = padded(n, 4),
        gain = padded(n, 5).map((v) => Math.abs(v) + 0.01);
      for (const freedom of [1, 2]) {
        const settings = { momentum: 0.5, rate: 50, exaggeration: 12, freedom };
        const stepped = await stepPoints(gpu, y, n, p, update, gain, settings);
        const expected = tsneStep(y, n, p, update, gain, settings);
        const note = `${freedom} degrees of freedom, seed ${testSeed}`;
        assertClose(stepped.y, expected.y, { relative: 1e-3, absolute: 1e-4, note });
        assertClose(stepped.update, expected.update, { relative: 1e-3, absolute: 1e-4, note });
      }
    });
  }
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
    "t-SNE takes 4 to 20000 points, not 3",
  );
  x.data[17] = NaN;
  await assertRejects(() => tsne(gpu, x), RangeError, "point 1 has NaN");
  closeGpu(gpu);
});
