import { assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../mod.ts";
import { readBuffers } from "../src/gpu/mod.ts";
import { releaseMatrix, uploadMatrix } from "../src/linalg/matrix.ts";
import { withPackedColumns } from "../src/linalg/pack_columns.ts";
import { randomMatrix, testSeed } from "./random.ts";
import { packColumns as reference } from "./reference/pack_columns.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const SHAPES = [[1, 1], [3, 17], [4, 32], [33, 70], [64, 257], [512, 33], [131, 2100], [509, 2500]];

Deno.test("withPackedColumns() hands on every block of columns, in slices of 64 KiB", async (t) => {
  for (const [k, n] of SHAPES) {
    for (const [width, transpose] of [[32, false], [32, true], [16, false], [16, true]] as const) {
      await t.step(`${k} × ${n}${transpose ? ", transposed" : ""}, ${width} wide`, async () => {
        const b = transpose ? randomMatrix(n, k) : randomMatrix(k, n);
        const stored = uploadMatrix(gpu, b, "B");
        const source = {
          buffer: stored.panels[0],
          row: 0,
          col: 0,
          stride: stored.stride,
          k,
          n,
          transpose,
          width,
        };
        const parts: Float32Array[] = [], reads: Promise<void>[] = [];
        let next = 0;
        withPackedColumns(gpu, source, ({ binding, first, columns, blocks, depth }) => {
          assertEquals([first, columns, depth], [next, n - next, Math.ceil(k / 4) * 4]);
          next = first + width * blocks;
          const { buffer, offset = 0 } = binding, at = reads.length;
          reads.push(
            readBuffers(gpu, [{ buffer, bytes: offset + blocks * depth * width * 4 }]).then(([bytes]) => {
              parts[at] = new Float32Array(bytes, offset);
            }),
          );
        });
        await Promise.all(reads);
        releaseMatrix(gpu, stored);
        const expected = reference(b.data, k, n, Math.ceil(k / 4) * 4, width, transpose);
        assertEquals(parts.flatMap((part) => [...part]), [...expected], `seed ${testSeed}`);
      });
    }
  }
});
