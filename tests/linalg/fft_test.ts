import { assertEquals, assertThrows } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { frequencyOrder, rootsOfUnity, transform } from "../../src/linalg/fft.ts";
import { fourier } from "../reference/fft.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));
const note = `seed ${testSeed}`;

/** Values (re, im) of one number of every vec4 of a line, in the order of `places`. */
function lineOf(grid: Float32Array, places: number[], number: number): Float32Array {
  return Float32Array.from(
    { length: 2 * places.length },
    (_, at) => grid[4 * places[at >> 1] + 2 * number + at % 2],
  );
}

for (const along of ["rows", "columns"]) {
  for (const [length, lines] of [[2, 1], [6, 3], [8, 13], [12, 5], [64, 9], [96, 2], [256, 3], [384, 1]]) {
    Deno.test(`transform() along ${along}, ${lines} of ${length}, equals the definition, and back`, async () => {
      const axis = along === "rows"
        ? { length, lines, along: 1, across: length }
        : { length, lines, along: Math.max(2, lines), across: 1 };
      const size = along === "rows" ? length * lines : length * axis.along;
      const x = randomMatrix(size, 4).data,
        places = (line: number) => Array.from({ length }, (_, at) => line * axis.across + at * axis.along);
      const grid = allocate(gpu, size * 16, "grid"), roots = rootsOfUnity(gpu, 2 * length);
      writeBuffer(gpu, grid, x);
      transform(gpu, grid, roots, axis);
      const [forward] = await readBuffers(gpu, [{ buffer: grid, bytes: size * 16 }]);
      transform(gpu, grid, roots, axis, true);
      const [back] = await readBuffers(gpu, [{ buffer: grid, bytes: size * 16 }]);
      const order = frequencyOrder(length);
      assertEquals([...order].sort((a, b) => a - b), [...Array(length).keys()]);
      for (let line = 0; line < lines; line++) {
        for (const number of [0, 1]) {
          const own = lineOf(x, places(line), number), expected = fourier(own);
          const found = lineOf(new Float32Array(forward), places(line), number);
          order.forEach((frequency, place) => {
            const scale = Math.max(...expected.map(Math.abs));
            assertClose(
              found.subarray(2 * place, 2 * place + 2),
              expected.subarray(2 * frequency, 2 * frequency + 2),
              { relative: 1e-6, scale, note },
            );
          });
          const returned = lineOf(new Float32Array(back), places(line), number);
          assertClose(returned.map((value) => value / length), own, { relative: 1e-6, note });
        }
      }
      release(gpu, grid);
      release(gpu, roots.buffer);
    });
  }
}

Deno.test("transform() of lines whose second half is zero does not read it, and leaves it as it is on the way back", async () => {
  const length = 24, x = randomMatrix(length, 4).data, axis = { length, lines: 1, along: 1, across: length };
  const zeroed = x.map((value, at) => at < 2 * length ? value : 0);
  const results = [];
  for (const [start, half] of [[x, true], [zeroed, false]] as const) {
    const grid = allocate(gpu, length * 16, "grid"), roots = rootsOfUnity(gpu, length);
    writeBuffer(gpu, grid, start);
    transform(gpu, grid, roots, { ...axis, half });
    transform(gpu, grid, roots, { ...axis, half }, true);
    const [bytes] = await readBuffers(gpu, [{ buffer: grid, bytes: length * 16 }]);
    results.push(new Float32Array(bytes).slice(0, 2 * length));
    release(gpu, grid);
    release(gpu, roots.buffer);
  }
  assertClose(results[0], results[1], { relative: 1e-6, note });
});

Deno.test("transform() says which lengths it takes", () => {
  for (const length of [1, 3, 7, 9, 20]) {
    assertThrows(
      () => frequencyOrder(length),
      RangeError,
      `A transform takes lengths of 2ᵏ or 3 · 2ᵏ, not ${length}.`,
    );
  }
});
