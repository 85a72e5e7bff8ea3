import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, normalizedCut, openGpu } from "../../mod.ts";
import { rayleighQuotients } from "../../src/graph/rayleigh_quotients.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";
import { normalizedAffinity } from "../reference/normalized_cut.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("rayleighQuotients() is the quotient of its definition for any vectors", async () => {
  for (const [n, d, c] of [[1, 3, 1], [7, 2, 3], [211, 13, 5]]) {
    const x = randomMatrix(n, d), y = randomMatrix(n, c, 1);
    const { m } = normalizedAffinity(x.data, n, d);
    const my = matmul(m, y.data, n, n, c);
    const expected = Array.from({ length: c }, (_, k) => {
      let product = 0, squares = 0;
      for (let i = 0; i < n; i++) {
        product += y.data[i * c + k] * my[i * c + k];
        squares += y.data[i * c + k] ** 2;
      }
      return product / squares;
    });
    assertClose(await rayleighQuotients(gpu, x, y), expected, {
      relative: 0,
      absolute: 1e-5,
      note: `n = ${n}, ${note}`,
    });
  }
});

Deno.test("rayleighQuotients() gives eigenvectors their eigenvalues, and the buffers back", async () => {
  const x = randomMatrix(150, 4), before = gpu.memory.inUse;
  const { eigenvectors, eigenvalues } = await normalizedCut(gpu, x, { components: 4 });
  assertClose(await rayleighQuotients(gpu, x, eigenvectors), eigenvalues, {
    relative: 0,
    absolute: 1e-5,
    note,
  });
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("rayleighQuotients() refuses what has no quotient", async () => {
  const x = randomMatrix(9, 4), y = randomMatrix(9, 2);
  await assertRejects(
    () => rayleighQuotients(gpu, x, randomMatrix(8, 2)),
    RangeError,
    "9 nodes and 8 rows of vectors",
  );
  y.data = y.data.map((v, at) => at % 2 ? 0 : v);
  await assertRejects(() => rayleighQuotients(gpu, x, y), RangeError, "Column 1 is zero or not finite");
});
