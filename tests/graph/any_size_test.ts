import { assertEquals } from "@std/assert";
import { closeGpu, nearestNeighbors, openGpu, rowNormalize } from "../../mod.ts";
import { squaredDistances } from "../../src/graph/knn.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../../src/linalg/matrix.ts";
import { rowNormalizeGradient } from "../../src/linalg/row_normalize.ts";
import { assertClose } from "../support/assert_close.ts";
import { rowNormalize as normalizeReference } from "../reference/row_normalize.ts";
import { rowNormalizeGradient as gradientReference } from "../reference/row_normalize_gradient.ts";
import { squaredDistance } from "../reference/squared_distance.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** More channels than an invocation of the software adapter has rounds of loops, in all or in one of three loops. */
const WIDE = [87_380, 300_000];

/** Rows of two kinds, whose differences lie all over the channels. */
function rows(n: number, d: number, factor = 1): Matrix {
  const data = Float32Array.from(
    { length: n * d },
    (_, at) => factor * (Math.sin(at % d * (1 + Math.floor(at / d) % 2)) + 0.1 * Math.sin(at * 1.7)),
  );
  return { data, rows: n, cols: d };
}

Deno.test("rows of 87,380 and 300,000 channels: normalised, their gradient and their distances equal float64", async (t) => {
  for (const d of WIDE) {
    await t.step(`${d} channels`, async () => {
      const x = rows(3, d, 1e-3),
        y = rows(2, d, 1.01e-3),
        g = { ...x, data: x.data.map((_, at) => Math.cos(0.7 * at)) };
      assertClose((await rowNormalize(gpu, x)).data, normalizeReference(x.data, 3, d), { relative: 1e-6 });
      const [gx, gy, gg] = [x, y, g].map((matrix) => uploadMatrix(gpu, matrix, "wide rows"));
      const gradient = rowNormalizeGradient(gpu, gx, gg), out = allocateMatrix(gpu, 3, 2, "distances");
      squaredDistances(gpu, gx, 0, 3, gy, { buffer: out.panels[0], stride: out.stride, row: 0 });
      assertClose((await downloadMatrix(gpu, gradient)).data, gradientReference(x.data, g.data, 3, d), {
        relative: 1e-5,
      });
      assertClose((await downloadMatrix(gpu, out)).data, squaredDistance(x.data, 3, y.data, 2, d), {
        relative: 1e-5,
      });
      releaseMatrix(gpu, gx, gy, gg, gradient, out);
    });
  }
});

Deno.test("nearestNeighbors() tells two kinds of rows of 87,380 and 300,000 channels apart", async () => {
  for (const d of WIDE) {
    const x = rows(6, d);
    for (const metric of ["cosine", "euclidean"] as const) {
      const { indices } = await nearestNeighbors(gpu, x, x, { k: 3, metric });
      assertEquals(
        [...indices].map((index) => index % 2),
        Array.from({ length: 18 }, (_, at) => Math.floor(at / 3) % 2),
      );
    }
  }
});
