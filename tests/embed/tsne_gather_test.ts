import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { gather } from "../../src/embed/grid_kernels.ts";
import { rootsOfUnity } from "../../src/linalg/fft.ts";
import { tsneGather } from "../reference/tsne_gather.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { seededRandom } from "../../src/linalg/random.ts";

Deno.test("gather() equals the reference: the last step of the transform, then the nine nodes around a point", async (t) => {
  const gpu = await openGpu(), random = seededRandom(testSeed);
  for (const [n, nodes] of [[1, 4], [13, 6], [301, 32]]) {
    await t.step(`${n} points on ${nodes} × ${nodes} nodes`, async () => {
      const centre: [number, number] = [3, -7], step = 0.25, width = nodes - 3;
      const points = Float32Array.from(
        { length: 4 * n },
        (_, at) => at % 4 < 2 ? centre[at % 4] + step * width * (random() - 0.5) : 0,
      );
      const halves = randomMatrix(2 * nodes * nodes, 4).data, values = new Float64Array(2 * nodes * nodes);
      for (let at = 0; at < nodes * nodes; at++) {
        const row = Math.floor(at / nodes),
          [a, b, c, d] = halves.subarray(4 * (row * 2 * nodes + at % nodes));
        const re = Math.cos(Math.PI * row / nodes), im = Math.sin(Math.PI * row / nodes);
        values.set([a + re * c - im * d, b + re * d + im * c], 2 * at);
      }
      const y = allocate(gpu, 16 * n, "y"), out = allocate(gpu, 16 * n, "forces");
      const field = allocate(gpu, halves.byteLength, "field"), roots = rootsOfUnity(gpu, 2 * nodes);
      writeBuffer(gpu, y, points);
      writeBuffer(gpu, field, halves);
      gather(gpu, y, field, roots.buffer, out, { n, nodes, centre, step });
      const [bytes] = await readBuffers(gpu, [{ buffer: out, bytes: 16 * n }]);
      const places = Array.from({ length: n }, (_, i): [number, number] => [
        (points[4 * i] - centre[0]) / step + nodes / 2,
        (points[4 * i + 1] - centre[1]) / step + nodes / 2,
      ]);
      const found = new Float32Array(bytes).filter((_, at) => at % 4 < 2);
      assertClose(found, tsneGather(places, values, nodes), { relative: 1e-5, note: `seed ${testSeed}` });
      for (const buffer of [y, out, field, roots.buffer]) release(gpu, buffer);
    });
  }
  closeGpu(gpu);
});
