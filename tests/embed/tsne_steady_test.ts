/** t-SNE of eigenvectors does not hang on last bits: what another adapter, browser or processor rounds otherwise has the same colors. */
import { assert } from "@std/assert";
import { closeGpu, colorsFromPoints, type Matrix, normalizedCut, openGpu, tsne } from "../../mod.ts";
import { hostTsne } from "../../src/embed/host_tsne.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";

const N = 300, COMPONENTS = 12, OPTIONS = { iterations: 300, start: "columns" } as const;
/** Seeds are fixed: of 108 layers of three models one has a map that divides. */
const SEED = 5;

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

function largestDifference(a: Matrix, b: Matrix): number {
  const [from, to] = [a, b].map((points) => colorsFromPoints(points));
  return from.reduce((most, value, at) => Math.max(most, Math.abs(value - to[at])), 0);
}

const nodes = clusteredNodes(N, 24, 8, 0.6, SEED);
const { eigenvectors } = await normalizedCut(gpu, nodes, { components: COMPONENTS });

Deno.test("colors of features that differ by a millionth differ by 1 of 255 at most", async () => {
  const noise = fillRandom(new Float32Array(nodes.data.length), seededRandom(SEED));
  const data = nodes.data.map((value, at) => value * (1 + 1e-6 * Math.sign(noise[at])));
  const moved = await normalizedCut(gpu, { ...nodes, data }, { components: COMPONENTS });
  const apart = largestDifference(
    hostTsne(eigenvectors, OPTIONS).points,
    hostTsne(moved.eigenvectors, OPTIONS).points,
  );
  assert(apart <= 1, `${apart} of 255`);
});

Deno.test("colors of tsne() in float32 on the device and of hostTsne() differ by 1 of 255 at most", async () => {
  const device = await tsne(gpu, eigenvectors, OPTIONS), host = hostTsne(eigenvectors, OPTIONS);
  const apart = largestDifference(device.points, host.points);
  assert(apart <= 1, `${apart} of 255`);
});
