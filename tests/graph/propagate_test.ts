import { assertRejects } from "@std/assert";
import { closeGpu, nearestNeighbors, openGpu, propagate } from "../../mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { propagate as reference } from "../reference/propagate.ts";

Deno.test("propagate() equals the float64 reference, with and without row panels", async (t) => {
  for (const bindingBytes of [undefined, 1 << 16]) {
    const gpu = await openGpu({ bindingBytes });
    for (const [n, m, c, k] of [[1, 1, 1, 1], [7, 3, 5, 2], [301, 53, 21, 7], [2000, 97, 13, 1]]) {
      await t.step(
        `${n} nodes, ${m} landmarks, ${c} values, K = ${k}, bindings of ${bindingBytes ?? "any"} bytes`,
        async () => {
          const queries = randomMatrix(n, 6), landmarks = randomMatrix(m, 6, 1), x = randomMatrix(m, c, 2);
          const neighbors = await nearestNeighbors(gpu, queries, landmarks, { k });
          const out = await propagate(gpu, neighbors, x);
          const expected = reference(neighbors.similarities, neighbors.indices, k, x.data, c);
          assertClose(out.data, expected, { relative: 1e-5, note: `seed ${testSeed}` });
        },
      );
    }
    closeGpu(gpu);
  }
});

Deno.test("propagate() names a neighbour that is no landmark", async () => {
  const gpu = await openGpu();
  const neighbors = { indices: Uint32Array.of(0, 9), similarities: Float32Array.of(1, 1), k: 1 };
  await assertRejects(
    () => propagate(gpu, neighbors, randomMatrix(3, 2)),
    RangeError,
    "Neighbour 9 is not among the 3 landmarks",
  );
  closeGpu(gpu);
});
