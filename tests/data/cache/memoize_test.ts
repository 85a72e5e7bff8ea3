import { assert, assertEquals, assertRejects } from "@std/assert";
import { memoize } from "../../../src/data/cache/memoize.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const CODE = ["src/linalg/random.ts"];

Deno.test("memoize() computes once for equal inputs, and gives back every bit", async () => {
  await inTemporaryFolder(async (folder) => {
    const result = {
      list: [1, -0, Infinity, NaN, 0.1 + 0.2],
      array: Float32Array.of(0.1, -Infinity, NaN),
      counts: Uint32Array.of(4294967295),
      part: Uint16Array.of(1, 2, 65535).subarray(1),
      map: new Map([["V1", { r: 0.5, voxels: Uint32Array.of(3) }]]),
      nothing: null,
      text: '</script> "é"',
    };
    let computed = 0;
    const kept = (inputs: Record<string, unknown>) =>
      memoize(folder, CODE, "thing", inputs, () => {
        computed++;
        return Promise.resolve(result);
      });
    assertEquals(await kept({ seed: 0 }), result);
    assertEquals(await kept({ seed: 0 }), result);
    assertEquals(computed, 1);
    assert(Object.is((await kept({ seed: 0 })).list[1], -0));
    assertEquals(await kept({ seed: 1 }), result);
    assertEquals(computed, 2);
    for await (const { name } of Deno.readDir(folder)) {
      await Deno.truncate(`${folder}/${name}/result.json`, 9);
    }
    assertEquals(await kept({ seed: 1 }), result);
    assertEquals(computed, 3);
  });
});

Deno.test("memoize() keeps nothing of a computation that fails or that it cannot write", async () => {
  await inTemporaryFolder(async (folder) => {
    await assertRejects(
      () => memoize(folder, CODE, "thing", {}, () => Promise.reject(new Error("it broke"))),
      Error,
      "it broke",
    );
    await assertRejects(
      () => memoize(folder, CODE, "thing", {}, () => Promise.resolve({ x: new BigInt64Array(1) })),
      TypeError,
      "A memoized result holds a BigInt64Array",
    );
    assertEquals(await memoize(folder, CODE, "thing", {}, () => Promise.resolve(7)), 7);
  });
});

Deno.test("memoize() holds no text of the arrays of a result, at three sizes", async () => {
  await inTemporaryFolder(async (folder) => {
    for (const length of [1e6, 2e6, 4e6]) {
      const array = Float32Array.from({ length: 8 }).fill(0.1), large = new Float32Array(length).fill(0.1);
      const before = Deno.memoryUsage().heapUsed;
      const found = await memoize(folder, CODE, "large", { length }, () => Promise.resolve({ array, large }));
      const grown = Deno.memoryUsage().heapUsed - before;
      assert(grown < 4e6, `${length} numbers: ${grown} bytes of heap`);
      assertEquals([found.large.length, found.large[length - 1]], [length, large[0]]);
    }
  });
});
