/** Whether two runs have the same results: `compare.ts CACHE OUT CACHE OUT`, the folders of `--cache` and `--out` of both. */
import { assertEquals } from "@std/assert";
import { RESULTS, resultsOf, stageFiles } from "./results.ts";

const [cache, out, otherCache, otherOut] = Deno.args;
const files = await stageFiles(cache, RESULTS), results = await resultsOf(out) as Record<string, unknown>;
assertEquals(await stageFiles(otherCache, RESULTS), files);
assertEquals(await resultsOf(otherOut), results);
console.log(
  `${Object.keys(files).length} files and the numbers of ${
    Object.keys(results).length
  } experiments are equal`,
);
