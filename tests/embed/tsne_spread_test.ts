import { assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { chargeScale, spread } from "../../src/embed/grid_kernels.ts";
import { tsneSpread } from "../reference/tsne_spread.ts";
import { assertClose } from "../support/assert_close.ts";
import { testSeed } from "../support/random.ts";
import { seededRandom } from "../../src/linalg/random.ts";

Deno.test("spread() equals the reference, whatever the order of the points, to the bit", async (t) => {
  const gpu = await openGpu(), random = seededRandom(testSeed);
  for (const [n, nodes, width] of [[1, 4, 0.5], [13, 8, 5], [301, 32, 28], [70_000, 6, 0.01]]) {
    await t.step(`${n} points on ${nodes} × ${nodes} nodes`, async () => {
      const centre: [number, number] = [3, -7], step = 0.25;
      const points = Float32Array.from(
        { length: 4 * n },
        (_, at) => at % 4 < 2 ? centre[at % 4] + step * width * (random() - 0.5) : 0,
      );
      const reversed = points.map((_, at) => points[4 * (n - 1 - (at >> 2)) + at % 4]);
      const place = { n, nodes, centre, step }, found = [];
      for (const each of [points, reversed]) {
        const y = allocate(gpu, n * 16, "y"), charges = allocate(gpu, nodes * nodes * 4, "charges");
        writeBuffer(gpu, y, each);
        writeBuffer(gpu, charges, new Uint32Array(nodes * nodes));
        spread(gpu, y, charges, place);
        const [bytes] = await readBuffers(gpu, [{ buffer: charges, bytes: nodes * nodes * 4 }]);
        found.push(new Uint32Array(bytes));
        release(gpu, y);
        release(gpu, charges);
      }
      assertEquals(found[0], found[1]);
      if (n > 1000) return; // all on a few nodes: that nothing overflows is seen by their sum
      const places = Array.from({ length: n }, (_, i): [number, number] => [
        (points[4 * i] - centre[0]) / step + nodes / 2,
        (points[4 * i + 1] - centre[1]) / step + nodes / 2,
      ]);
      const charges = Float64Array.from(found[0], (value) => value / chargeScale(n));
      assertClose(charges, tsneSpread(places, nodes), { relative: 2e-5, note: `seed ${testSeed}` });
    });
  }
  closeGpu(gpu);
});
