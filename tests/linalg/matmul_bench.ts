import { openGpu } from "../../mod.ts";
import { sync } from "../../src/gpu/mod.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { allocateMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { randomMatrix } from "../support/random.ts";

const gpu = await openGpu();

const SHAPES: [m: number, k: number, n: number, transposeA: boolean, transposeB: boolean][] = [
  [512, 512, 512, false, false],
  [1024, 96, 1024, false, true],
  [4728, 4728, 32, false, false],
  [32, 4728, 32, true, false],
];

for (const [m, k, n, transposeA, transposeB] of SHAPES) {
  const a = uploadMatrix(gpu, transposeA ? randomMatrix(k, m) : randomMatrix(m, k), "A");
  const b = uploadMatrix(gpu, transposeB ? randomMatrix(n, k) : randomMatrix(k, n), "B");
  const out = allocateMatrix(gpu, m, n, "C");
  const [left, right] = [transposeA ? "ᵀ" : "", transposeB ? "ᵀ" : ""];
  Deno.bench(`matmul A${left} B${right}, ${m} × ${k} by ${k} × ${n}`, async () => {
    multiply(gpu, a, b, { transposeA, transposeB, out });
    await sync(gpu);
  });
}
