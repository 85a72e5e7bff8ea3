import { openGpu } from "../../mod.ts";
import { sync } from "../../src/gpu/mod.ts";
import { affinityBlock, tileFor, uploadUnitRows } from "../../src/graph/affinity.ts";
import { affinityOperator } from "../../src/graph/affinity_operator.ts";
import { allocateMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { randomMatrix } from "../support/random.ts";

const gpu = await openGpu();

for (const [n, d] of [[1024, 96], [1024, 768], [4728, 96]]) {
  const unit = uploadUnitRows(gpu, randomMatrix(n, d));
  const { buffer, rows, stride } = tileFor(gpu, n);
  Deno.bench(`affinity, tiles made and dropped, ${n} × ${d}`, { n: 5, warmup: 1 }, async () => {
    for (let first = 0; first < n; first += rows) {
      const count = Math.min(rows, n - first);
      affinityBlock(gpu, unit, first, count, unit, { buffer, stride, row: 0 });
    }
    await sync(gpu);
  });
  for (const storage of ["stored", "tiled"] as const) {
    const operator = await affinityOperator(gpu, unit, { storage });
    const x = uploadMatrix(gpu, randomMatrix(n, 32), "block"), out = allocateMatrix(gpu, n, 32, "image");
    Deno.bench(`affinity × 32 columns, ${storage}, ${n} × ${d}`, { n: 5, warmup: 1 }, async () => {
      operator.apply(x, out);
      await sync(gpu);
    });
  }
}
