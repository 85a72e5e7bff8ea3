import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  closeGpu,
  degrees,
  exactCut,
  fitNystrom,
  fitSpace,
  fowlkesNystrom,
  linearEncoder,
  matrixSource,
  meanFeatures,
  minibatchGradient,
  nearestNeighbors,
  normalizedCut,
  openGpu,
  patchFeatures,
  ridge,
  sampleLandmarks,
  trainAlign,
  tsne,
  twoWayCut,
} from "../../mod.ts";
import { dataOf, problem, QUICK, SLOTS } from "../support/align_problem.ts";
import { clusteredMatrix } from "../support/clustered.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** Work that is stopped at its first sign of progress. */
const nodes = clusteredMatrix(1500, 12, 6, 0.4), align = problem(64);
const many = clusteredMatrix(9000, 48, 6, 0.4), fewer = clusteredMatrix(3000, 48, 6, 0.4);
/** Work without progress of its own is stopped while it is under way, by a timer. */
const soon = <T>(onProgress: () => void, work: Promise<T>): Promise<T> => (setTimeout(onProgress, 1), work);
const photographs = Array.from({ length: 3 }, (_, i) => ({
  name: `${i}`,
  load: () => Promise.resolve({ width: 8, height: 8, data: new Uint8Array(192).fill(40 * i) }),
}));

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
  "nearestNeighbors()": (signal, onProgress) =>
    soon(onProgress, nearestNeighbors(gpu, many, many, { k: 4, signal })),
  "degrees()": (signal, onProgress) => soon(onProgress, degrees(gpu, many, { signal })),
  "sampleLandmarks()": (signal, onProgress) =>
    soon(onProgress, sampleLandmarks(gpu, matrixSource(many), { count: 200, signal })),
  "transform() of a model": async (signal, onProgress) => {
    const model = await fitNystrom(gpu, matrixSource(nodes), { landmarks: 60, components: 4 });
    return await soon(
      onProgress,
      model.transform(matrixSource(clusteredMatrix(40_000, 12, 6, 0.4)), { signal }),
    );
  },
  "twoWayCut()": (signal, onProgress) => soon(onProgress, twoWayCut(gpu, fewer, { signal })),
  "linearEncoder()": (signal, onProgress) =>
    soon(onProgress, linearEncoder(gpu, align.pooled, align.responses, { steps: 2000, signal })),
  "patchFeatures()": (signal, onProgress) =>
    soon(onProgress, patchFeatures("mae_tiny", photographs, [1], { signal })),
  "meanFeatures()": (signal, onProgress) =>
    soon(onProgress, meanFeatures(["mae_tiny"], photographs, { signal })),
  ...Object.fromEntries(
    Object.entries({ exactCut, fowlkesNystrom, minibatchGradient }).map(([name, method]) => [
      `${name}()`,
      (signal: AbortSignal, onProgress: () => void) =>
        soon(onProgress, method(gpu, name === "exactCut" ? fewer : nodes, { components: 4, signal })),
    ]),
  ),
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
