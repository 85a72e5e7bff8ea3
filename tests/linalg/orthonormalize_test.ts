import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, type Matrix, openGpu } from "../../mod.ts";
import { downloadMatrix, type GpuMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { orthonormalize, orthonormalizeBoth, projectOut } from "../../src/linalg/orthonormalize.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => Number(at % (n + 1) === 0));
}

/** orthonormalize() from the host to the host. */
async function basisOf(y: Matrix, against: GpuMatrix[] = [], on = gpu): Promise<Matrix> {
  const q = await orthonormalize(on, uploadMatrix(on, y, "block"), against, seededRandom(1));
  const basis = await downloadMatrix(on, q);
  releaseMatrix(on, q);
  return basis;
}

function assertOrthonormal({ data, rows, cols }: Matrix, tolerance = 1e-3) {
  assertClose(matmul(data, data, cols, rows, cols, true), identity(cols), { relative: tolerance, note });
}

/** The columns of y lie in the span of the orthonormal columns of q. */
function assertSpans(q: Matrix, y: Matrix, tolerance: number) {
  const coefficients = matmul(q.data, y.data, q.cols, q.rows, y.cols, true);
  const within = matmul(q.data, coefficients, q.rows, q.cols, y.cols);
  for (let c = 0; c < y.cols; c++) {
    const column = (x: ArrayLike<number>) => Array.from({ length: y.rows }, (_, r) => x[r * y.cols + c]);
    assertClose(column(within), column(y.data), { relative: tolerance, note: `column ${c}, ${note}` });
  }
}

Deno.test("orthonormalize() makes an orthonormal basis of the same span on awkward shapes", async (t) => {
  for (const [n, c] of [[1, 1], [2, 2], [7, 3], [64, 16], [131, 17], [1031, 32], [2053, 5]]) {
    await t.step(`${n} × ${c}`, async () => {
      const y = randomMatrix(n, c);
      const q = await basisOf(y);
      assertOrthonormal(q);
      assertSpans(q, y, 2e-3);
    });
  }
});

Deno.test("orthonormalize() keeps the span of columns that differ by 1e24 in length", async () => {
  const y = randomMatrix(509, 12);
  y.data = y.data.map((v, at) => v * 10 ** (12 - 2 * (at % 12)));
  const q = await basisOf(y);
  assertOrthonormal(q);
  assertSpans(q, y, 2e-3);
});

Deno.test("orthonormalize() handles ill-conditioned blocks", async (t) => {
  for (const nearness of [1e-1, 1e-2, 1e-3, 1e-5, 1e-7]) {
    await t.step(`columns ${nearness} apart`, async () => {
      const n = 509, c = 16;
      const y = randomMatrix(n, c), common = randomMatrix(n, 1, 1).data;
      y.data = y.data.map((v, at) => common[Math.floor(at / c)] + nearness * v);
      assertOrthonormal(await basisOf(y));
    });
  }
});

Deno.test("orthonormalize() fills up rank-deficient blocks, and keeps the span of what there is", async (t) => {
  const n = 257;
  const column = (key: number) => randomMatrix(n, 1, key).data;
  const [a, b] = [column(1), column(2)];
  const zero = new Float32Array(n), twice = a.map((v) => 2 * v), sum = a.map((v, i) => v + b[i]);
  const blocks: Record<string, Float32Array[]> = {
    "a zero column": [a, zero, b],
    "nothing but zeros": [zero, zero, zero, zero],
    "equal columns": [a, a, a, b, b],
    "a multiple and a sum": [a, b, twice, sum],
  };
  for (const [name, columns] of Object.entries(blocks)) {
    await t.step(name, async () => {
      const data = Float32Array.from(
        { length: n * columns.length },
        (_, at) => columns[at % columns.length][Math.floor(at / columns.length)],
      );
      const y = { data, rows: n, cols: columns.length };
      const q = await basisOf(y);
      assertOrthonormal(q);
      assertSpans(q, y, 2e-3);
    });
  }
});

Deno.test("orthonormalize() leaves nothing along the blocks it is kept from", async () => {
  const n = 509;
  const locked = [await basisOf(randomMatrix(n, 7, 1))];
  const first = uploadMatrix(gpu, locked[0], "locked");
  const second = await orthonormalize(
    gpu,
    uploadMatrix(gpu, randomMatrix(n, 3, 2), "block"),
    [first],
    seededRandom(2),
  );
  locked.push(await downloadMatrix(gpu, second));
  const y = randomMatrix(n, 5, 3);
  for (let r = 0; r < n; r++) { // one column within the locked span, one but for a thousandth
    y.data[5 * r] = locked[0].data[7 * r] + locked[1].data[3 * r + 2];
    y.data[5 * r + 1] = locked[0].data[7 * r + 4] + 1e-3 * y.data[5 * r + 1];
  }
  const q = await basisOf(y, [first, second]);
  releaseMatrix(gpu, first, second);
  assertOrthonormal(q);
  for (const block of locked) {
    const overlap = matmul(block.data, q.data, block.cols, n, 5, true);
    assertClose(overlap, new Float64Array(overlap.length), { relative: 0, absolute: 1e-3, note });
  }
});

Deno.test("projectOut() takes the component along an orthonormal block off", async () => {
  const n = 131;
  const q = await basisOf(randomMatrix(n, 4)), y = randomMatrix(n, 6, 1);
  const gq = uploadMatrix(gpu, q, "q");
  const rest = projectOut(gpu, uploadMatrix(gpu, y, "y"), [gq]);
  const { data } = await downloadMatrix(gpu, rest);
  releaseMatrix(gpu, gq, rest);
  const along = matmul(q.data, matmul(q.data, y.data, 4, n, 6, true), n, 4, 6);
  assertClose(data, along.map((v, at) => y.data[at] - v), { relative: 1e-5, note });
});

Deno.test("orthonormalize() gives the same bits on every run and whatever the panels", async () => {
  const y = randomMatrix(2053, 20);
  for (let r = 0; r < y.rows; r++) y.data[20 * r + 3] = y.data[20 * r]; // one column to replace
  const { data } = await basisOf(y);
  assertSameBits((await basisOf(y)).data, data, note);
  assertSameBits((await basisOf(y, [], withBindings(gpu, 2 ** 16))).data, data, `panels, ${note}`);
});

Deno.test("orthonormalize() refuses NaN, naming the block", async () => {
  const y = randomMatrix(20, 3);
  y.data[31] = NaN;
  await assertRejects(
    () => basisOf(y),
    Error,
    "block: a block to orthonormalize holds NaN or infinite values.",
  );
});

Deno.test("orthonormalize() returns every buffer it took but the basis", async () => {
  const before = gpu.memory.inUse;
  await basisOf(randomMatrix(300, 9));
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("orthonormalizeBoth() gives V T orthonormal and W T with one T, by which the last columns keep their directions", async () => {
  const before = gpu.memory.inUse;
  for (const [n, c, taken] of [[5, 2, 1], [67, 7, 1], [301, 48, 1], [301, 20, 3]]) {
    const v = randomMatrix(n, c);
    for (let i = 0; i < n; i++) for (let k = 1; k < c; k++) v.data[i * c + k] += 0.3 * v.data[i * c + k - 1];
    const m = randomMatrix(n, n), w = Float32Array.from(matmul(m.data, v.data, n, n, c));
    const held = [uploadMatrix(gpu, v, "V"), uploadMatrix(gpu, { ...v, data: w }, "W")];
    const both = await orthonormalizeBoth(gpu, held[0], held[1], taken);
    assert(both, `${n} × ${c} is independent enough, ${note}`);
    const [q, image] = await Promise.all(both.map((x) => downloadMatrix(gpu, x)));
    assertOrthonormal(q, 1e-4);
    assertSpans(q, v, 1e-4);
    const expected = matmul(m.data, q.data, n, n, c);
    assertClose(image.data, expected, { relative: 1e-4, note });
    const last = Array.from({ length: taken }, (_, i) => c - taken + i);
    const columns = (x: Matrix) => ({
      data: Float32Array.from(
        { length: n * taken },
        (_, at) => x.data[Math.floor(at / taken) * c + last[at % taken]],
      ),
      rows: n,
      cols: taken,
    });
    assertSpans(columns(q), columns(v), 1e-4);
    releaseMatrix(gpu, ...held, ...both);
  }
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("orthonormalizeBoth() refuses columns that nearly depend on one another", async () => {
  const v = randomMatrix(64, 3);
  for (let i = 0; i < 64; i++) v.data[3 * i + 2] = v.data[3 * i] + 0.1 * v.data[3 * i + 1];
  const held = [uploadMatrix(gpu, v, "V"), uploadMatrix(gpu, v, "W")];
  assertEquals(await orthonormalizeBoth(gpu, held[0], held[1], 1), null);
  releaseMatrix(gpu, ...held);
});
