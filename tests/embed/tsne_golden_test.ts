import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { closeGpu, openGpu, trustworthiness, tsne } from "../../mod.ts";
import { hostTsne } from "../../src/embed/host_tsne.ts";
import golden from "../golden/tsne.json" with { type: "json" };

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

for (const dimensions of [2, 3] as const) {
  Deno.test(`tsne() in ${dimensions} dimensions is within 1 % of scikit-learn's KL and trustworthiness, or better`, async () => {
    const { rows, cols } = golden, x = { data: Float32Array.from(golden.x), rows, cols };
    const runs = [];
    for (const seed of [0, 1, 2]) {
      const { points, kl } = await tsne(gpu, x, { dimensions, perplexity: 30, iterations: 1000, seed });
      runs.push({ kl, trust: trustworthiness(x, points, 5) });
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[1];
    const { kl, trustworthiness: trust } = golden.median_of_5[dimensions];
    const [ownKl, ownTrust] = [median(runs.map((run) => run.kl)), median(runs.map((run) => run.trust))];
    assert(ownKl <= 1.01 * kl, `KL ${ownKl}, scikit-learn ${kl}`);
    assert(ownTrust >= 0.99 * trust, `trustworthiness ${ownTrust}, scikit-learn ${trust}`);
  });
}

Deno.test("hostTsne() is within 1 % of scikit-learn's KL and trustworthiness, or better, and says what takes a device", () => {
  const { rows, cols } = golden, x = { data: Float32Array.from(golden.x), rows, cols };
  const { points, kl } = hostTsne(x, { iterations: 250 });
  const { kl: expected, trustworthiness: trust } = golden.median_of_5[3];
  assert(kl <= 1.01 * expected, `KL ${kl}, scikit-learn ${expected}`);
  assert(trustworthiness(x, points, 5) >= 0.99 * trust);
  assertThrows(
    () => hostTsne({ data: new Float32Array(401), rows: 401, cols: 1 }),
    RangeError,
    "t-SNE of 401 points takes WebGPU, which is not there: without it at most 400.",
  );
});

Deno.test("trustworthiness() of bad maps is scikit-learn's", () => {
  const { x, y, by_k } = golden.trustworthiness;
  const points = { data: Float32Array.from(x), rows: 24, cols: 3 };
  const line = { data: Float32Array.from(y), rows: 24, cols: 1 };
  for (const [k, expected] of Object.entries(by_k)) {
    assertAlmostEquals(trustworthiness(points, line, Number(k)), expected, 1e-12, `k = ${k}`);
  }
});
