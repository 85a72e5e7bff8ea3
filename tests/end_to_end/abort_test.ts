import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  closeGpu,
  fitNystrom,
  fitSpace,
  matrixSource,
  normalizedCut,
  openGpu,
  ridge,
  trainAlign,
  tsne,
} from "../../mod.ts";
import { dataOf, problem, QUICK, SLOTS } from "../support/align_problem.ts";
import { clusteredMatrix } from "../support/clustered.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** Work that is stopped at its first sign of progress. */
const nodes = clusteredMatrix(1500, 12, 6, 0.4), align = problem(64);
const WORKS: Record<string, (signal: AbortSignal, onProgress: () => void) => Promise<unknown>> = {
  "normalizedCut()": (signal, onProgress) =>
    normalizedCut(gpu, nodes, { components: 8, storage: "stored", signal, onProgress }),
  "fitNystrom(), all landmarks": (signal, onProgress) =>
    fitNystrom(gpu, matrixSource(nodes), {
      landmarks: 60,
      neighbors: "all",
      components: 6,
      signal,
      onProgress,
    }),
  "tsne()": (signal, onProgress) =>
    tsne(gpu, clusteredMatrix(120, 5, 3, 0.3), { dimensions: 2, iterations: 200, signal, onProgress }),
  "trainAlign()": (signal, onProgress) =>
    trainAlign(gpu, dataOf(align), { ...QUICK, signal, onEpoch: onProgress }),
  "ridge()": (signal, onProgress) =>
    ridge(gpu, align.pooled, align.responses, { alphas: [1, 10], folds: 2, signal, onProgress }),
  "fitSpace()": (signal, onProgress) =>
    fitSpace(gpu, SLOTS, align.pooled, align.responses, { components: 4, signal, onProgress }),
};

for (const [name, work] of Object.entries(WORKS)) {
  Deno.test(`${name} stops where its signal is aborted, rejects with the reason, and gives its memory back`, async () => {
    const before = gpu.memory.inUse, controller = new AbortController();
    let calls = 0;
    const stop = () => {
      calls++;
      controller.abort();
    };
    const error = await assertRejects(() => work(controller.signal, stop), DOMException);
    assertEquals(error.name, "AbortError");
    assertEquals(calls, 1, "it went on");
    assertEquals(gpu.memory.inUse, before, "memory is still in use");
    assert(await work(new AbortController().signal, () => {}), "a signal that stays quiet stops nothing");
  });
}
