import { assert, assertAlmostEquals } from "@std/assert";
import { closeGpu, openGpu, trustworthiness, tsne } from "../../mod.ts";
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

Deno.test("trustworthiness() of bad maps is scikit-learn's", () => {
  const { x, y, by_k } = golden.trustworthiness;
  const points = { data: Float32Array.from(x), rows: 24, cols: 3 };
  const line = { data: Float32Array.from(y), rows: 24, cols: 1 };
  for (const [k, expected] of Object.entries(by_k)) {
    assertAlmostEquals(trustworthiness(points, line, Number(k)), expected, 1e-12, `k = ${k}`);
  }
});
