/** Tests of kernels that take the least, in Chromium as in Deno, from the same files; `./run test-browser` runs the others. */
import { assertEquals } from "@std/assert";
import { chromiumPath } from "../support/browser.ts";
import { testSeed } from "../support/random.ts";
import { bundleTests, openChromium, openPage, runInPage } from "./chromium.ts";

const FILES = [
  "align/brain_loss",
  "align/projector_difference",
  "embed/perplexity",
  "gpu/params",
  "gpu/texture",
  "gpu/unroll",
  "graph/affinity_gradient",
  "graph/degree_gradient",
  "graph/half_squares",
  "graph/row_sum",
  "linalg/row_normalize",
  "linalg/row_normalize_gradient",
  "linalg/residual_squares",
  "linalg/sum_slabs",
].map((name) => `tests/${name}_test.ts`);

const ignore = chromiumPath === undefined;

Deno.test({
  name: `short tests of kernels pass in Chromium, too${ignore ? " (skipped: there is no Chromium)" : ""}`,
  ignore,
  fn: async () => {
    await using chromium = await openChromium({
      "/": '<script type="module" src="tests.js"></script>',
      "/tests.js": await bundleTests(FILES, testSeed),
    });
    const page = await openPage(chromium);
    for (const file of FILES) {
      const results = await runInPage(page, file);
      assertEquals(results.filter(({ result }) => result !== "ok"), [], file);
      assertEquals(results.length > 0, true, file);
    }
  },
});
