import { assert, assertEquals, assertThrows } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { gridFor } from "../../src/embed/grid_repulsion.ts";
import { interpolatedForces } from "../support/tsne_on_host.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { tsneRepulsion } from "../reference/tsne_repulsion.ts";
import { testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** n points around groups, in a square about `width` wide, far from the origin. */
function groupedPoints(n: number, width: number): Float32Array {
  const random = seededRandom(testSeed), centres = fillRandom(new Float32Array(20), random);
  const points = fillRandom(new Float32Array(4 * n), random);
  return points.map((value, at) => {
    if (at % 4 > 1) return 0;
    return 5 + width / 5 * (centres[2 * ((at >> 2) % 10) + at % 4] + 0.3 * value);
  });
}

for (
  const [n, width, rms, most] of [[1500, 1e-3, 5e-4, 1e-3], [1500, 15, 0.02, 0.03], [1500, 50, 0.03, 0.05]]
) {
  Deno.test(`interpolatedForces() on a map about ${width} wide are within ${rms} of the exact ones (root mean square), Z within 1e-4`, async () => {
    const y = groupedPoints(n, width), exact = tsneRepulsion(y, n), note = `seed ${testSeed}`;
    const { forces, z } = await interpolatedForces(gpu, y, n);
    let errors = 0, squares = 0, worst = 0, largest = 0, total = 0;
    for (let i = 0; i < n; i++) {
      const error = Math.hypot(forces[4 * i] - exact[4 * i], forces[4 * i + 1] - exact[4 * i + 1]);
      const size = Math.hypot(exact[4 * i], exact[4 * i + 1]);
      errors += error ** 2;
      squares += size ** 2;
      worst = Math.max(worst, error);
      largest = Math.max(largest, size);
      total += exact[4 * i + 3];
    }
    assert(Math.sqrt(errors / squares) <= rms, `${Math.sqrt(errors / squares)} on average, ${note}`);
    assert(worst / largest <= most, `${worst / largest} at worst, ${note}`);
    assert(Math.abs(z - total) <= 1e-4 * total, `Z ${z}, exactly ${total}, ${note}`);
    const again = await interpolatedForces(gpu, y, n);
    assertEquals(again.forces, forces);
    assertEquals(again.z, z);
  });
}

Deno.test("gridFor() keeps steps of 0.4 or less, room at the border, and says where a map is too wide", () => {
  for (const span of [1e-9, 1e-4, 0.3, 5, 23.9, 24.1, 100, 399, 817]) {
    const { nodes, step } = gridFor(span);
    assert(step <= 0.4 && span <= step * (nodes - 4) * (1 + 1e-9), `${span}: ${nodes} nodes, ${step} apart`);
  }
  assertThrows(
    () => gridFor(900),
    RangeError,
    "The map of t-SNE is 900 wide: repulsion is interpolated up to 817; lower the learning rate.",
  );
});
