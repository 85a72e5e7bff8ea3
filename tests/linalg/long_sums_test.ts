import { closeGpu, matmul, type MatmulOptions, type Matrix, openGpu } from "../../mod.ts";
import { assert } from "@std/assert";
import golden from "../golden/long_sums.json" with { type: "json" };
import { matmul as reference, productScale } from "../reference/matmul.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** Entries of A and of B by their number, as tests/golden/long_sums.py has them. */
const KINDS: Record<string, [(i: number) => number, (i: number) => number]> = {
  "0.1 · 0.1": [() => 0.1, () => 0.1],
  "0.3 · 0.7": [() => 0.3, () => 0.7],
  "of one sign": [(i) => 1 + i * 7919 % 251, (i) => 1 + i * 104729 % 509],
};

function matrix(rows: number, cols: number, entry: (i: number) => number): Matrix {
  return { data: Float32Array.from({ length: rows * cols }, (_, i) => entry(i)), rows, cols };
}

function transposed({ data, rows, cols }: Matrix): Matrix {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = data[i * cols + j];
  return { data: out, rows: cols, cols: rows };
}

/** A float32 sum as good as it can be is off by half a unit in its last place: numpy is so by luck. */
const ROUNDING = 2 ** -24;

Deno.test("matmul() adds up long sums at most four times as far off as numpy's float32, in all forms", async (t) => {
  for (const { kind, m, k, n, error } of golden.errors) {
    const [ofA, ofB] = KINDS[kind], a = matrix(m, k, ofA), b = matrix(k, n, ofB);
    const exact = reference(a.data, b.data, m, k, n), scale = productScale(a.data, b.data, m, k, n);
    const forms: [string, Matrix, Matrix, MatmulOptions][] = [["A B", a, b, {}]];
    if (m * n < 100) {
      forms.push(["Aᵀᵀ B", transposed(a), b, { transposeA: true }]);
      forms.push(["A Bᵀᵀ", a, transposed(b), { transposeB: true }]);
    }
    for (const [form, left, right, options] of forms) {
      for (const variant of ["textures", "registers", "shared"] as const) {
        if (variant !== gpu.variant && k > (variant === "shared" ? 4096 : 65536)) continue; // slow on a software adapter
        await t.step(`${kind}, ${m} × ${k} by ${k} × ${n}, ${form}, ${variant}`, async () => {
          const { data } = await matmul({ ...gpu, variant }, left, right, options);
          const off = exact.reduce((most, v, at) => Math.max(most, Math.abs(v - data[at])), 0) / scale;
          assert(off <= 4 * Math.max(error, ROUNDING), `off by ${off}, numpy by ${error}`);
        });
      }
    }
  }
});
