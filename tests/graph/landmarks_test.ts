import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { farthestCandidates, mergeCandidates, sampleLandmarks } from "../../src/graph/landmarks.ts";
import { matrixSource } from "../../src/graph/node_source.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const SAMPLINGS = ["farthest", "uniform", "stratified"] as const;

Deno.test("sampleLandmarks() chooses different rows, ascending, the same for the same seed", async (t) => {
  const gpu = await openGpu();
  for (const sampling of SAMPLINGS) {
    for (const [n, d, count] of [[1, 3, 1], [13, 2, 13], [997, 17, 101], [9001, 5, 40]]) {
      await t.step(`${sampling}, ${count} of ${n}`, async () => {
        const x = randomMatrix(n, d);
        const source = matrixSource(x, Uint32Array.from({ length: n }, (_, i) => i % 7));
        const chosen = await sampleLandmarks(gpu, source, { count, sampling, seed: testSeed });
        assertEquals(chosen.length, count);
        assert(chosen.every((row, at) => row < n && (at === 0 || row > chosen[at - 1])), `seed ${testSeed}`);
        const again = await sampleLandmarks(gpu, source, { count, sampling, seed: testSeed });
        assertEquals([...again], [...chosen]);
      });
    }
  }
  closeGpu(gpu);
});

Deno.test("sampleLandmarks() stratified gives every stratum its share to within one", async () => {
  const gpu = await openGpu();
  const n = 5003, count = 211;
  const strata = Uint32Array.from({ length: n }, (_, i) => Math.floor(Math.sqrt(i)));
  const source = matrixSource(randomMatrix(n, 1), strata);
  const chosen = await sampleLandmarks(gpu, source, { count, sampling: "stratified", seed: testSeed });
  const of = (rows: Iterable<number>, stratum: number) =>
    [...rows].filter((row) => strata[row] === stratum).length;
  for (let stratum = 0; stratum <= strata[n - 1]; stratum++) {
    const share = of(Array.from({ length: n }, (_, i) => i), stratum) * count / n;
    assert(Math.abs(of(chosen, stratum) - share) < 1, `stratum ${stratum}, seed ${testSeed}`);
  }
  closeGpu(gpu);
});

Deno.test("sampleLandmarks() stratified gives what is left over to the largest remainders", async () => {
  const gpu = await openGpu();
  const strata = Uint32Array.from({ length: 61 }, (_, i) => i < 10 ? 0 : i < 30 ? 1 : 2);
  const source = matrixSource(randomMatrix(61, 1), strata);
  for (const seed of [1, 2, 3]) { // shares of 1.15, 2.30 and 3.56
    const chosen = await sampleLandmarks(gpu, source, { count: 7, sampling: "stratified", seed });
    assertEquals([0, 1, 2].map((stratum) => chosen.filter((row) => strata[row] === stratum).length), [
      1,
      2,
      4,
    ]);
  }
  closeGpu(gpu);
});

Deno.test("sampleLandmarks() farthest finds every rare direction, which uniform misses", async () => {
  const gpu = await openGpu();
  const n = 8009, d = 6;
  const x = randomMatrix(n, d);
  // One crowd, and five nodes alone in directions of their own; lengths do not matter.
  const alone = [17, 1001, 2999, 4242, 8008];
  for (let i = 0; i < n; i++) {
    const direction = alone.indexOf(i) + 1;
    for (let c = 0; c < d; c++) {
      x.data[i * d + c] = (c === direction ? 3 : 0.001 * x.data[i * d + c]) * (1 + i % 5);
    }
  }
  const farthest = await sampleLandmarks(gpu, matrixSource(x), { count: 12, seed: testSeed });
  assert(alone.every((row) => farthest.includes(row)), `${farthest}, seed ${testSeed}`);
  const uniform = await sampleLandmarks(gpu, matrixSource(x), { count: 12, sampling: "uniform", seed: 1 });
  assert(!alone.every((row) => uniform.includes(row)));
  closeGpu(gpu);
});

Deno.test("sampleLandmarks() says what is wrong in one sentence", async () => {
  const gpu = await openGpu();
  const source = matrixSource(randomMatrix(5, 3));
  for (
    const [options, message] of [
      [{ count: 9 }, "landmarks is 9, but features has only 5 nodes: ask for at most 5."],
      [{ count: 1.5 }, "landmarks is 1.5: ask for a whole number, 1 or more."],
      [{ count: 2, sampling: "nearest" as "uniform" }, 'sampling is "nearest": choose'],
    ] as const
  ) {
    await assertRejects(() => sampleLandmarks(gpu, source, options), RangeError, message);
  }
  const zero = randomMatrix(9000, 2);
  zero.data.fill(0, 2 * 8999);
  await assertRejects(
    () => sampleLandmarks(gpu, matrixSource(zero), { count: 3 }),
    RangeError,
    "features: node 8999 is a zero vector",
  );
  closeGpu(gpu);
});

Deno.test("mergeCandidates() of what ranges found has every rare direction, whatever range it is in", async () => {
  const gpu = await openGpu();
  const n = 9001, d = 6, x = randomMatrix(n, d), alone = [17, 1001, 2999, 4242, 9000];
  for (let i = 0; i < n; i++) {
    const direction = alone.indexOf(i) + 1;
    for (let c = 0; c < d; c++) {
      x.data[i * d + c] = (c === direction ? 3 : 0.001 * x.data[i * d + c]) * (1 + i % 5);
    }
  }
  const source = matrixSource(x), ranges = [[0, 4096], [4096, 4096], [8192, 809]];
  const find = async ([first, rows]: number[]) => ({
    first,
    ...await farthestCandidates(gpu, source, { first, rows }, { count: 8, seed: testSeed }),
  });
  const parts = await Promise.all(ranges.map(find)), landmarks = await mergeCandidates(gpu, parts, 12);
  assertEquals(landmarks.length, 12);
  assert(landmarks.every((row, at) => row < n && (at === 0 || row > landmarks[at - 1])), `seed ${testSeed}`);
  assert(alone.every((row) => landmarks.includes(row)), `${landmarks}, seed ${testSeed}`);
  // The same whoever looks at a range, and in whatever order.
  const backwards = [];
  for (const range of ranges.toReversed()) backwards.unshift(await find(range));
  assertEquals(await mergeCandidates(gpu, backwards, 12), landmarks);
  x.data.fill(0, 8500 * d, 8501 * d);
  await assertRejects(() => find(ranges[2]), RangeError, "node 8500");
  const few = await farthestCandidates(gpu, source, { first: 8998, rows: 3 }, { count: 8, seed: testSeed });
  assertEquals([...few.rows].sort(), [0, 1, 2]);
  assertEquals(gpu.memory.inUse, 0);
  closeGpu(gpu);
});
