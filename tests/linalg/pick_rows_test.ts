import { assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, release, writeBuffer } from "../../src/gpu/mod.ts";
import {
  allocateMatrix,
  downloadMatrix,
  releaseMatrix,
  rowView,
  uploadMatrix,
} from "../../src/linalg/matrix.ts";
import { pickRows } from "../../src/linalg/pick_rows.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { pickRows as reference } from "../reference/pick_rows.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("pickRows() equals the reference on awkward shapes, across panels, from views, with repetitions", async (t) => {
  const random = seededRandom(testSeed);
  for (
    const [rows, cols, count] of [[1, 1, 1], [3, 5, 7], [16, 64, 16], [131, 67, 1000], [1031, 513, 61], [
      2,
      3,
      70_001,
    ]]
  ) {
    for (const first of [0, Math.floor(rows / 3)]) {
      await t.step(`${count} of rows ${first} to ${rows - 1}, ${cols} columns`, async () => {
        const x = randomMatrix(rows, cols);
        const choice = Uint32Array.from({ length: count + 2 }, () => Math.floor(random() * (rows - first)));
        for (const bytes of [Infinity, 2 ** 15]) {
          const small = withBindings(gpu, bytes);
          const gx = uploadMatrix(small, x, "x"), out = allocateMatrix(small, count, cols, "out");
          const buffer = allocate(gpu, choice.byteLength, "choice");
          writeBuffer(gpu, buffer, choice);
          pickRows(small, rowView(gx, first, rows - first), { buffer, first: 2, count }, out);
          const { data } = await downloadMatrix(small, out);
          releaseMatrix(small, gx, out);
          release(gpu, buffer);
          const expected = reference(x.data.subarray(first * cols), choice.subarray(2), cols);
          assertEquals(data, new Float32Array(expected), `seed ${testSeed}`);
        }
      });
    }
  }
});
