import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { brainScore } from "../../src/align/brain_score.ts";
import { linearEncoder } from "../../src/align/linear_encoder.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("linearEncoder() finds a linear map whatever the units, where some responses are far off", async () => {
  const x = randomMatrix(120, 7), w = randomMatrix(7, 5, 1), fresh = randomMatrix(60, 7, 2);
  const respond = (features: Float32Array, rows: number) =>
    Float32Array.from(matmul(features, w.data, rows, 7, 5), (value, at) => 100 + 10 ** (at % 5) * value);
  const y = { data: respond(x.data, 120), rows: 120, cols: 5 };
  for (let i = 0; i < 120; i += 11) for (let v = 0; v < 5; v++) y.data[i * 5 + v] = 100; // outliers: 9 %
  const units = (data: Float32Array) => data.map((value, at) => 7 + 10 ** (at % 7 % 3) * value);
  const before = gpu.memory.inUse;
  const predict = await linearEncoder(gpu, { ...x, data: units(x.data) }, y, { decay: 0 });
  const found = await predict({ ...fresh, data: units(fresh.data) });
  const { r } = brainScore(found, { data: respond(fresh.data, 60), rows: 60, cols: 5 });
  assert(r.every((value) => value > 0.98), `${r}, seed ${testSeed}`);
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("linearEncoder() gives the same bits twice, and a constant voxel its constant", async () => {
  const x = randomMatrix(30, 4), y = randomMatrix(30, 3, 1);
  for (let i = 0; i < 30; i++) y.data[i * 3 + 1] = -2;
  const [one, two] = [await linearEncoder(gpu, x, y), await linearEncoder(gpu, x, y)];
  const found = await one(x);
  assertEquals(found, await two(x));
  assert(found.data.every((value, at) => at % 3 !== 1 || value === -2));
});

Deno.test("linearEncoder() names images that do not fit, and values that are not finite", async () => {
  const x = randomMatrix(6, 4), y = randomMatrix(6, 3, 1);
  const refused = (one: typeof x, other: typeof y, message: string) =>
    assertRejects(() => linearEncoder(gpu, one, other), RangeError, message);
  await refused(randomMatrix(5, 4), y, "x has 5 images, y 6: they must be equal.");
  x.data[9] = NaN;
  await refused(x, y, "x holds NaN in image 2, feature 1: every value must be finite.");
});
