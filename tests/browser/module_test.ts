/** The module for browsers, in Chromium: a page, a worker, no WebGPU, a device that is lost. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { closeGpu, normalizedCut, openGpu } from "../../mod.ts";
import { browserModule } from "../../tasks/maintenance/pack.ts";
import { assertClose } from "../support/assert_close.ts";
import { chromiumPath } from "../support/browser.ts";
import { openChromium, openPage } from "./chromium.ts";

const MAX_KILOBYTES = 150;
const ignore = chromiumPath === undefined, without = ignore ? " (skipped: there is no Chromium)" : "";

const module = await browserModule();
const page = await Deno.readTextFile(new URL("../../examples/cluster_in_browser.html", import.meta.url));

/** Thirty nodes in three groups, as text of JavaScript. */
const NODES =
  `{ data: Float32Array.from({ length: 240 }, (_, at) => Number(at % 3 === 0) + Math.sin(at) / 9), rows: 30, cols: 8 }`;
const WORKER = `import { normalizedCut, openGpu } from "/alignedcut.js";
const gpu = await openGpu(), { eigenvalues, eigenvectors } = await normalizedCut(gpu, ${NODES}, { components: 4 });
postMessage({ eigenvalues: [...eigenvalues], second: [...eigenvectors.data].filter((_, at) => at % 4 === 1) });`;

const chromium = ignore ? undefined : await openChromium({
  "/alignedcut.js": module,
  "/cluster_in_browser.html": page,
  "/worker.js": WORKER,
  "/": "<title>empty</title>",
});
Deno.test.afterAll(async () => await chromium?.[Symbol.asyncDispose]());

/** What the example says once it has something to say. */
async function saidBy(before?: () => void): Promise<string> {
  const page = await openPage(chromium!, "/cluster_in_browser.html", before);
  const said = page.locator("#said");
  await page.waitForFunction("!document.querySelector('#said').textContent.startsWith('Without')");
  return await said.textContent() ?? "";
}

Deno.test("the module for browsers is one file without imports, of at most 150 kB compressed", async () => {
  assertEquals(module.match(/\\bimport\\s*[{("*]/g), null);
  const compressed = await new Response(
    new Blob([module]).stream().pipeThrough(new CompressionStream("gzip")),
  ).bytes();
  assert(compressed.length < 1000 * MAX_KILOBYTES, `${compressed.length} bytes`);
});

Deno.test({
  name: `the example page of 40 lines clusters, and says in a sentence that there is no WebGPU${without}`,
  ignore,
  fn: async () => {
    assertEquals(page.trimEnd().split("\n").length, 40);
    assertMatch(
      await saidBy(),
      /^Clusters of 150, 150, 150 rows; eigenvalues 1\.000, 0\.302, 0\.292$/,
    );
    assertEquals(
      await saidBy(() => Object.defineProperty(navigator, "gpu", { value: undefined })),
      "This runtime has no WebGPU: run it with Deno 2.9 or a browser that has navigator.gpu.",
    );
    assertMatch(
      await saidBy(() => {
        navigator.gpu.requestAdapter = () => Promise.resolve(null);
      }),
      /^No WebGPU adapter was found: turn on graphics acceleration in the settings of this browser, .*\.$/,
    );
  },
});

Deno.test({
  name: `the module for browsers gives in a worker what it gives in Deno${without}`,
  ignore,
  fn: async () => {
    const page = await openPage(chromium!);
    const answer = await page.evaluate<{ eigenvalues: number[]; second: number[] }>(
      `new Promise((done, failed) => {
          const worker = new Worker("/worker.js", { type: "module" });
          worker.onmessage = ({ data }) => done(data);
          worker.onerror = ({ message }) => failed(new Error(message));
        })`,
    );
    const gpu = await openGpu(), nodes = new Function(`return ${NODES}`)();
    const { eigenvalues, eigenvectors } = await normalizedCut(gpu, nodes, { components: 4 });
    closeGpu(gpu);
    assertClose(answer.eigenvalues, eigenvalues, { relative: 1e-6 });
    assertClose(answer.second, eigenvectors.data.filter((_, at) => at % 4 === 1), { relative: 1e-4 });
  },
});

Deno.test({
  name: `a device that is lost in a page is reported, and another can be opened${without}`,
  ignore,
  fn: async () => {
    const page = await openPage(chromium!);
    const [said, afterwards] = await page.evaluate<[string, number]>(`(async () => {
        const { openGpu, rowNormalize } = await import("/alignedcut.js");
        const x = { data: Float32Array.of(3, 4, 0, 1), rows: 2, cols: 2 }, gpu = await openGpu();
        await rowNormalize(gpu, x);
        gpu.device.destroy();
        await gpu.device.lost;
        const said = await rowNormalize(gpu, x).then(() => "", (error) => error.message);
        return [said, (await rowNormalize(await openGpu(), x)).data[1]];
      })()`);
    assertStringIncludes(said, "The GPU device was lost (destroyed");
    assertStringIncludes(said, "open a new one and run again");
    assertClose([afterwards], [0.8], { relative: 1e-6 });
  },
});
