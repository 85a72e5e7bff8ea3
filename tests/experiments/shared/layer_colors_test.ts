import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { closeGpu, colorsFromPoints, openGpu, trustworthiness } from "../../../mod.ts";
import { layerColors } from "../../../src/experiments/shared/layer_colors.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";

Deno.test("layerColors() gives tokens of one cluster like colors and repeats itself bit for bit", async () => {
  const gpu = await openGpu();
  const n = 420, d = 12;
  const x = randomMatrix(n, d);
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < d; c++) x.data[i * d + c] *= 0.2;
    x.data[i * d + i % 3] += 6;
  }
  const options = { components: 5, sample: 200, seed: 1 };
  const { colors, cut, trustworthiness: trust } = await layerColors(gpu, x, options);
  const again = await layerColors(gpu, x, options);
  closeGpu(gpu);
  assertEquals(colors, again.colors);
  assertEquals(cut.eigenvectors.data, again.cut.eigenvectors.data);
  assert(cut.converged && trust > 0.7, `trustworthiness ${trust}`);
  let within = 0, across = 0, pairs = 0;
  for (let i = 0; i + 3 < n; i++, pairs++) {
    const apart = (a: number, b: number) =>
      Math.hypot(...[0, 1, 2].map((c) => colors[3 * a + c] - colors[3 * b + c]));
    within += apart(i, i + 3);
    across += apart(i, i + 1);
  }
  assert(
    within < 0.6 * across,
    `color distance within ${within / pairs}, across ${across / pairs}; seed ${testSeed}`,
  );
});

Deno.test("layerColors() names the layer and the token that is zero", async () => {
  const gpu = await openGpu();
  const x = randomMatrix(300, 4);
  x.data.fill(0, 4 * 7, 4 * 8);
  await assertRejects(
    () => layerColors(gpu, x, { name: "layer 3" }),
    RangeError,
    "layer 3: node 7 is a zero vector",
  );
  closeGpu(gpu);
});

Deno.test("colorsFromPoints() spans the color cube and needs three coordinates", () => {
  const data = Float32Array.from({ length: 303 }, (_, i) => (i % 3 + 1) * Math.floor(i / 3));
  const colors = colorsFromPoints({ data, rows: 101, cols: 3 }, 0);
  assertEquals([...colors.subarray(0, 3)], [0, 0, 0]);
  assertEquals([...colors.subarray(300)], [255, 255, 255]);
  assertEquals(
    [...colorsFromPoints({ data: new Float32Array(6).fill(2), rows: 2, cols: 3 })],
    Array(6).fill(128),
  );
  assertThrows(
    () => colorsFromPoints({ data: new Float32Array(4), rows: 2, cols: 2 }),
    RangeError,
    "3 coordinates, not 2",
  );
});

Deno.test("trustworthiness() is 1 for the same points and lower for shuffled ones", () => {
  const x = randomMatrix(101, 3);
  const shuffled = {
    ...x,
    data: Float32Array.from(x.data, (_, i) => x.data[(3 * 37 * Math.floor(i / 3) + i % 3) % 303]),
  };
  assertEquals(trustworthiness(x, x), 1);
  assert(trustworthiness(x, shuffled) < 0.75);
});
