import { assert, assertEquals } from "@std/assert";
import { fork, seededRandom } from "../../src/linalg/random.ts";

const DRAWS = 400;

function draws(seed: number): Float64Array {
  return Float64Array.from({ length: DRAWS }, seededRandom(seed));
}

/** Pearson r. */
function correlation(a: Float64Array, b: Float64Array): number {
  const centred = (x: Float64Array) => x.map((v) => v - x.reduce((sum, value) => sum + value, 0) / x.length);
  const [x, y] = [a, b].map(centred),
    dot = (p: Float64Array, q: Float64Array) => p.reduce((sum, v, i) => sum + v * q[i], 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

Deno.test("fork() gives whole numbers below 2⁵³, the same for the same path, others for every other seed and path", () => {
  const seen = new Set<number>();
  for (let seed = -3; seed < 500; seed++) {
    for (const path of [["W"], ["beta"], ["validation"], ["epoch", 1], ["epoch", 11], ["epoch", 1, 1]]) {
      const forked = fork(seed, ...path);
      assert(Number.isSafeInteger(forked) && forked >= 0 && forked === fork(seed, ...path));
      seen.add(forked);
    }
  }
  assertEquals(seen.size, 503 * 6);
});

Deno.test("streams of neighbouring seeds and of the names of one seed are not correlated, at any lag up to 3", () => {
  const names = ["W", "beta", "validation", "groups", "shortlist"];
  const streams = [0, 1, 2, 3].flatMap((
    seed,
  ) => [draws(seed), ...names.map((name) => draws(fork(seed, name)))]);
  let largest = 0;
  for (const [i, a] of streams.entries()) {
    for (const b of streams.slice(i + 1)) {
      for (let lag = 0; lag <= 3; lag++) {
        const length = DRAWS - lag;
        largest = Math.max(largest, Math.abs(correlation(a.subarray(0, length), b.subarray(lag))));
        largest = Math.max(largest, Math.abs(correlation(a.subarray(lag), b.subarray(0, length))));
      }
    }
  }
  assert(largest < 5 / Math.sqrt(DRAWS), `the largest of 1,932 correlations of ${DRAWS} draws is ${largest}`);
});

Deno.test("no seed is numbered onwards: src names its streams", async () => {
  for await (const path of filesUnder(new URL("../../src/", import.meta.url))) {
    const code = await Deno.readTextFile(path);
    assert(!/\bseed \+ |\bseed \* |\+ seed\b/.test(code), `${path} derives a seed by arithmetic: use fork()`);
  }
});

async function* filesUnder(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesUnder(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}
