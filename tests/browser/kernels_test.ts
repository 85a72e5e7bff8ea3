/** Every shader's own test in Chromium as in Deno, from the same file; `./run test-browser` runs the others, too. */
import { assertEquals } from "@std/assert";
import { chromiumPath } from "../support/browser.ts";
import { testSeed } from "../support/random.ts";
import { bundleTests, openChromium, openPage, runInPage } from "./chromium.ts";

const ROOT = new URL("../../", import.meta.url);
/** Tests of what kernels share, and of kernels in their other forms. */
const BESIDE = [
  "gpu/params",
  "gpu/texture",
  "gpu/unroll",
  "gpu/wgsl_facts",
  "graph/degree_gradient",
  "graph/half_squares",
  "linalg/portable_math",
  "linalg/row_normalize_gradient",
].map((name) => `tests/${name}_test.ts`);
/** The test of each shader: a file of its name. */
function shaderTests(): string[] {
  const files = ["align", "embed", "graph", "linalg"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(`tests/${folder}`, ROOT))].map(({ name }) => `tests/${folder}/${name}`)
  );
  return [...Deno.readDirSync(new URL("shaders", ROOT))].map(({ name }) => {
    const file = files.find((path) => path.endsWith(`/${name.replace(".wgsl", "_test.ts")}`));
    if (!file) throw new Error(`shaders/${name} has no test.`);
    return file;
  }).sort();
}

const ignore = chromiumPath === undefined;

Deno.test({
  name: `every shader's tests pass in Chromium, too${ignore ? " (skipped: there is no Chromium)" : ""}`,
  ignore,
  fn: async () => {
    const files = [...BESIDE, ...shaderTests()];
    await using chromium = await openChromium({
      "/": '<script type="module" src="tests.js"></script>',
      "/tests.js": await bundleTests(files, testSeed),
    });
    const page = await openPage(chromium);
    for (const file of files) {
      const results = await runInPage(page, file);
      assertEquals(results.filter(({ result }) => !["ok", "ignored"].includes(result)), [], file);
      assertEquals(results.some(({ result }) => result === "ok"), true, file);
    }
  },
});
