/** t-SNE of eigenvectors does not depend on the last bits: what another adapter, browser or processor rounds otherwise has the same colors. */
import { assert, assertEquals } from "@std/assert";
import {
  closeGpu,
  colorsFromPoints,
  type Matrix,
  matrixSource,
  normalizedCut,
  openGpu,
  tsne,
} from "../../mod.ts";
import { hostTsne } from "../../src/embed/host_tsne.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { fitSpectralMap } from "../../src/embed/spectral_map.ts";
import { layerColors } from "../../src/experiments/shared/layer_colors.ts";
import { startPoints } from "../../src/embed/tsne_start.ts";
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

Deno.test("points begin along the columns behind the first, or along the only one, turned by their third moment", () => {
  const data = Float32Array.of(1, 0, 2, 1, 0, 0, 1, 0, 0, 1, -4, 0), columns = { data, rows: 4, cols: 3 };
  const close = (y: Float32Array, c: number, expected: number[]) =>
    expected.forEach((value, i) => assert(Math.abs(y[4 * i + c] - value) < 5e-6, `${c}: ${y}`));
  const y = startPoints(columns, 3, 0, "columns");
  // Of (0, 0, 0, −4) and (2, 0, 0, 0): standard deviations √3 and √3 / 2; the first is turned.
  close(y, 0, [-1, -1, -1, 3].map((value) => 1e-4 * value / Math.sqrt(3)));
  close(y, 1, [1.5, -0.5, -0.5, -0.5].map((value) => 1e-4 * value / Math.sqrt(3)));
  close(y, 2, [0, 0, 0, 0]);
  const alone = startPoints({ data: Float32Array.of(0, 0, 0, 4), rows: 4, cols: 1 }, 2, 0, "columns");
  close(alone, 0, [-1, -1, -1, 3].map((value) => 1e-4 * value / Math.sqrt(3)));
});

Deno.test("spectralMap() and a layer's colors begin along the eigenvectors", async () => {
  const settings = { iterations: 50, sample: N };
  const { maps: [map] } = await fitSpectralMap(gpu, matrixSource(eigenvectors), settings);
  const { points } = await tsne(gpu, eigenvectors, { iterations: 50, start: "columns" });
  assertEquals(map.points.data, points.data);
  const { cut, colors } = await layerColors(gpu, nodes, { components: COMPONENTS });
  assertEquals(colors, colorsFromPoints(hostTsne(cut.eigenvectors, { start: "columns" }).points));
});
