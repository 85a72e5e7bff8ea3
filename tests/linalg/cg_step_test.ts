import { assert } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { solveShifted } from "../../src/linalg/conjugate_gradients.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { downloadMatrix, type GpuMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { cgStep } from "../reference/cg_step.ts";
import { symmetricEigen } from "../reference/symmetric_eigen.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** A symmetric n × n matrix with its eigenpairs, the first `c` eigenvalues well apart from the rest. */
function problem(n: number, c: number) {
  const noise = randomMatrix(n, n).data;
  const symmetric = noise.map((value, at) => value + noise[at % n * n + Math.floor(at / n)]);
  const { vectors } = symmetricEigen(symmetric, n);
  const values = Float64Array.from({ length: n }, (_, i) => i < c ? 1 - 0.05 * i / c : 0.5 * (1 - i / n));
  const m = Float32Array.from({ length: n * n }, (_, at) => {
    const i = Math.floor(at / n), j = at % n;
    return values.reduce((sum, value, k) => sum + value * vectors[i * n + k] * vectors[j * n + k], 0);
  });
  const random = randomMatrix(n, c, 1).data, b = Float64Array.from(random);
  for (let k = 0; k < c; k++) { // into the complement of the first c eigenvectors
    for (let v = 0; v < c; v++) {
      let along = 0;
      for (let i = 0; i < n; i++) along += vectors[i * n + k] * random[i * c + v];
      for (let i = 0; i < n; i++) b[i * c + v] -= along * vectors[i * n + k];
    }
  }
  return { m, vectors, values, b: Float32Array.from(b) };
}

async function solve(n: number, c: number, options: { tolerance?: number; maxSteps?: number }) {
  const { m, vectors, values, b } = problem(n, c);
  const gm = uploadMatrix(gpu, { data: m, rows: n, cols: n }, "M");
  const right = uploadMatrix(gpu, { data: b, rows: n, cols: c }, "b");
  const basis = uploadMatrix(gpu, {
    data: Float32Array.from({ length: n * c }, (_, at) => vectors[Math.floor(at / c) * n + at % c]),
    rows: n,
    cols: c,
  }, "basis");
  const operator = { size: n, apply: (x: GpuMatrix, out: GpuMatrix) => void multiply(gpu, gm, x, { out }) };
  const found = await solveShifted(gpu, operator, values.slice(0, c), right, basis, options);
  const z = await downloadMatrix(gpu, found.z);
  releaseMatrix(gpu, gm, right, basis, found.z);
  return { ...found, z: z.data, vectors, values, b };
}

Deno.test("solveShifted() takes the steps of the float64 reference", async (t) => {
  for (const [n, c] of [[24, 1], [37, 3], [131, 17]]) {
    await t.step(`${n} × ${c}`, async () => {
      const { z, vectors, values, b } = await solve(n, c, { tolerance: 1e-12, maxSteps: 16 });
      const expected = new Float64Array(n * c);
      for (let v = 0; v < c; v++) {
        const r = Float64Array.from({ length: n }, (_, i) => b[i * c + v]);
        let state = { z: new Float64Array(n), r, p: r, square: 0 };
        for (let step = 0; step < 16; step++) {
          const image = new Float64Array(n); // (I − X Xᵀ) M p
          for (let k = c; k < n; k++) {
            let along = 0;
            for (let i = 0; i < n; i++) along += vectors[i * n + k] * state.p[i];
            for (let i = 0; i < n; i++) image[i] += values[k] * along * vectors[i * n + k];
          }
          state = cgStep({ ...state, image, shift: values[v] });
        }
        state.z.forEach((value, i) => expected[i * c + v] = value);
      }
      assertClose(z, expected, { relative: 1e-4, note: `seed ${testSeed}` });
    });
  }
});

Deno.test("solveShifted() reaches its tolerance and stops there", async () => {
  const n = 131, c = 5;
  const { z, steps, residual, vectors, values, b } = await solve(n, c, { tolerance: 1e-4 });
  assert(residual <= 1e-4 && steps < 256, `${steps} steps to ${residual}`);
  const expected = new Float64Array(n * c);
  for (let v = 0; v < c; v++) {
    for (let k = c; k < n; k++) {
      let along = 0;
      for (let i = 0; i < n; i++) along += vectors[i * n + k] * b[i * c + v];
      for (let i = 0; i < n; i++) {
        expected[i * c + v] += along / (values[v] - values[k]) * vectors[i * n + k];
      }
    }
  }
  assertClose(z, expected, { relative: 1e-3, note: `seed ${testSeed}` });
});
