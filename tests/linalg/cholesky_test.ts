import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { closeGpu, type Gpu, type Matrix, openGpu } from "../../mod.ts";
import { cholesky, releaseFactor, solveCholesky } from "../../src/linalg/cholesky.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { solveCholesky as reference } from "../reference/cholesky.ts";
import { matmul } from "../reference/matmul.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

/** X Xᵀ / n + floor · I with X n × n, rounded to float32. */
function positiveDefinite(n: number, floor: number): Matrix {
  const x = randomMatrix(n, n);
  const gram = matmul(x.data, x.data, n, n, n, false, true);
  const data = Float32Array.from(gram, (value, at) => value / n + (at % (n + 1) === 0 ? floor : 0));
  return { data, rows: n, cols: n };
}

async function solve(device: Gpu, a: Matrix, b: Matrix, shifts?: number[]): Promise<Matrix[]> {
  const ga = uploadMatrix(device, a, "A");
  const factors = await cholesky(device, ga, shifts);
  const found: Matrix[] = [];
  for (const factor of factors) {
    const gb = uploadMatrix(device, b, "B");
    const x = solveCholesky(device, factor, gb);
    found.push(await downloadMatrix(device, x));
    releaseMatrix(device, gb, x);
    releaseFactor(device, factor);
  }
  releaseMatrix(device, ga);
  return found;
}

Deno.test("solveCholesky() equals the float64 reference on awkward sizes", async (t) => {
  for (const [n, r] of [[1, 1], [2, 3], [7, 1], [127, 5], [128, 16], [130, 131], [257, 2], [389, 37]]) {
    await t.step(`${n} × ${n}, ${r} right sides`, async () => {
      const a = positiveDefinite(n, 0.5), b = randomMatrix(n, r, 1);
      const [x] = await solve(gpu, a, b);
      assertEquals([x.rows, x.cols], [n, r]);
      assertClose(x.data, reference(a.data, b.data, n, r), { relative: 1e-4, note });
    });
  }
});

Deno.test("cholesky() takes several shifts at once, each as if it came alone", async () => {
  const n = 263, shifts = [0.25, 3, 1000];
  const a = positiveDefinite(n, 0), b = randomMatrix(n, 3, 1);
  const together = await solve(gpu, a, b, shifts);
  for (const [i, shift] of shifts.entries()) {
    const [alone] = await solve(gpu, a, b, [shift]);
    assertEquals([...together[i].data], [...alone.data], note);
    const shifted = a.data.map((value, at) => at % (n + 1) === 0 ? value + shift : value);
    assertClose(together[i].data, reference(shifted, b.data, n, 3), { relative: 1e-4, note });
  }
});

Deno.test("cholesky() and solveCholesky() give the same whatever the panels, and return all memory", async () => {
  const n = 300, a = positiveDefinite(n, 0.5), b = randomMatrix(n, 9, 1);
  const before = gpu.memory.inUse;
  const [whole] = await solve(gpu, a, b);
  const [panels] = await solve(withBindings(gpu, 2 ** 14), a, b);
  assertClose(panels.data, whole.data, { relative: 1e-5, note });
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("solveCholesky() leaves a small residual on a system of condition 10⁴", async () => {
  const n = 200, a = positiveDefinite(n, 1e-3), b = randomMatrix(n, 1, 1);
  const [x] = await solve(gpu, a, b);
  const residual = matmul(a.data, x.data, n, n, 1).map((value, i) => value - b.data[i]);
  const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
  const scale = norm(a.data) * norm(x.data);
  assert(norm(residual) <= 1e-5 * scale, `${norm(residual) / scale}, ${note}`);
});

Deno.test("cholesky() says in one sentence that a matrix is not positive definite", async (t) => {
  const before = gpu.memory.inUse;
  const hilbert = (n: number) =>
    Float32Array.from({ length: n * n }, (_, at) => 1 / (at % n + (at - at % n) / n + 1));
  const twice = positiveDefinite(150, 0.5);
  for (let i = 0; i < 150; i++) twice.data[i * 150 + 140] = twice.data[i * 150 + 3];
  for (let i = 0; i < 150; i++) twice.data[140 * 150 + i] = twice.data[3 * 150 + i];
  const cases: [string, Float32Array, number][] = [
    ["ill-conditioned", hilbert(12), 12],
    ["a column twice", twice.data, 150],
    ["indefinite", new Float32Array([1, 2, 2, 1]), 2],
    ["zero", new Float32Array(9), 3],
    ["NaN", new Float32Array([1, 0, 0, NaN]), 2],
  ];
  for (const [what, data, n] of cases) {
    await t.step(what, async () => {
      const a = uploadMatrix(gpu, { data, rows: n, cols: n }, "XᵀX");
      await assertRejects(
        () => cholesky(gpu, a),
        Error,
        `XᵀX + 0 · I (${n} × ${n}) is not positive definite in float32: `,
      );
      releaseMatrix(gpu, a);
    });
  }
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("cholesky() judges what is left of an entry beside the shift, too", async () => {
  const a = uploadMatrix(gpu, { data: new Float32Array([0, 1, 1, 0]), rows: 2, cols: 2 }, "XᵀX");
  await assertRejects(() => cholesky(gpu, a, [1 + 1e-7]), Error, "is left of entry 1.0e+0 in row 1");
  releaseMatrix(gpu, a);
});

Deno.test("cholesky() and solveCholesky() say which sizes do not fit", async () => {
  const a = uploadMatrix(gpu, randomMatrix(3, 2), "XᵀX");
  await assertRejects(() => cholesky(gpu, a), RangeError, "XᵀX is 3 × 2: only a square matrix");
  const identity = uploadMatrix(gpu, { data: new Float32Array([1, 0, 0, 1]), rows: 2, cols: 2 }, "I");
  const [factor] = await cholesky(gpu, identity);
  assertThrows(
    () => solveCholesky(gpu, factor, a),
    RangeError,
    "The right sides have 3 rows, the matrix 2: they must be equal.",
  );
  releaseFactor(gpu, factor);
  releaseMatrix(gpu, a, identity);
});
