import { assert, assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../src/gpu/mod.ts";
import { openNearestRow } from "../../src/graph/nearest_row.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";

const gpu = await openGpu();
globalThis.addEventListener("unload", () => closeGpu(gpu));

/** Nearest rows in float64, ties to the lower one. */
function reference(queries: Matrix, base: Matrix): Uint32Array {
  return Uint32Array.from({ length: queries.rows }, (_, i) => {
    let nearest = -1, best = Infinity;
    for (let b = 0; b < base.rows; b++) {
      let square = 0;
      for (let k = 0; k < base.cols; k++) {
        square += (queries.data[i * base.cols + k] - base.data[b * base.cols + k]) ** 2;
      }
      if (square < best) [nearest, best] = [b, square];
    }
    return nearest;
  });
}

function random(rows: number, cols: number, seed: number, valueOf = (value: number) => value): Matrix {
  return { data: fillRandom(new Float32Array(rows * cols), seededRandom(seed)).map(valueOf), rows, cols };
}

async function found(queries: Matrix, base: Matrix): Promise<Uint32Array> {
  const search = openNearestRow(gpu, base, queries.rows), { inUse } = gpu.memory;
  const nearest = await search.find(queries);
  assertEquals(gpu.memory.inUse, inUse, "a search keeps nothing");
  search.release();
  return nearest;
}

Deno.test("openNearestRow() finds what float64 finds, whatever the shape: one row, odd widths, several tiles", async () => {
  for (const [n, m, cols] of [[1, 1, 1], [7, 3, 2], [33, 4, 5], [300, 257, 20], [1500, 4500, 3]]) {
    const queries = random(n, cols, 1), base = random(m, cols, 2);
    assertEquals(await found(queries, base), reference(queries, base), `${n} queries, ${m} × ${cols}`);
  }
});

Deno.test("openNearestRow() tells rows apart that float32 products do not: far from the origin, outliers, equal rows", async () => {
  const far = (value: number) => 1000 + 1e-3 * value;
  const queries = random(200, 8, 3, far), base = random(150, 8, 4, far);
  assertEquals(await found(queries, base), reference(queries, base), "far from the origin");
  base.data.fill(-3e4, 0, 8); // the mean moves
  assertEquals(await found(queries, base), reference(queries, base), "with an outlier");
  const twice = random(40, 8, 5);
  twice.data.copyWithin(20 * 8, 0, 20 * 8);
  for (let row = 30; row < 40; row++) twice.data.copyWithin(row * 8, 0, 8); // twelve equal rows: more than candidates
  const nearest = await found(twice, twice);
  assertEquals(nearest, reference(twice, twice), "equal rows");
  assert(nearest.every((row) => row < 20), "ties go to the lower row");
});
