import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  affinity,
  closeGpu,
  degrees,
  exactCut,
  fitNystrom,
  fitSpace,
  fowlkesNystrom,
  type Gpu,
  linearEncoder,
  matrixSource,
  meanFeatures,
  minibatchGradient,
  nearestNeighbors,
  normalizedCut,
  nystromModel,
  openGpu,
  patchFeatures,
  type Photograph,
  rayleighQuotients,
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
const many = clusteredMatrix(9000, 48, 6, 0.4);
const model = await fitNystrom(gpu, matrixSource(many), { landmarks: 60, components: 4 });
/** The device, which reports its first read-back: of work without progress of its own. */
function reporting(onProgress: () => void): Gpu {
  const { device } = gpu;
  let reads = 0;
  return {
    ...gpu,
    device: new Proxy(device, {
      get(own, key) {
        const value = Reflect.get(own, key);
        if (key !== "createBuffer") return typeof value === "function" ? value.bind(own) : value;
        return (descriptor: GPUBufferDescriptor) => {
          if (descriptor.label === "readback" && reads++ === 0) onProgress();
          return device.createBuffer(descriptor);
        };
      },
    }),
  };
}
/** Photographs, of which the first that is read is reported. */
function photographs(onProgress: () => void): Photograph[] {
  let reads = 0;
  return [0, 1, 2].map((i) => ({
    name: `${i}`,
    load() {
      if (reads++ === 0) onProgress();
      return Promise.resolve({ width: 8, height: 8, data: new Uint8Array(192).fill(40 * i) });
    },
  }));
}

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
    nearestNeighbors(reporting(onProgress), many, many, { k: 4, signal }),
  "affinity()": (signal, onProgress) => {
    setTimeout(onProgress);
    return affinity(gpu, many, { signal });
  },
  "rayleighQuotients()": (signal, onProgress) =>
    rayleighQuotients(reporting(onProgress), many, { ...many, data: many.data.slice() }, { signal }),
  "degrees()": (signal, onProgress) => degrees(reporting(onProgress), many, { signal }),
  "sampleLandmarks()": (signal, onProgress) =>
    sampleLandmarks(reporting(onProgress), matrixSource(many), { count: 200, signal }),
  "transform() of a model": (signal, onProgress) =>
    nystromModel(reporting(onProgress), model).transform(matrixSource(many), { signal }),
  "twoWayCut()": (signal, onProgress) => twoWayCut(reporting(onProgress), nodes, { signal }),
  "exactCut()": (signal, onProgress) => exactCut(reporting(onProgress), nodes, { components: 4, signal }),
  "fowlkesNystrom()": (signal, onProgress) =>
    fowlkesNystrom(reporting(onProgress), many, { components: 4, signal }),
  "minibatchGradient()": (signal, onProgress) => {
    setTimeout(onProgress);
    return minibatchGradient(gpu, nodes, { components: 4, signal });
  },
  "linearEncoder()": (signal, onProgress) =>
    linearEncoder(reporting(onProgress), align.pooled, align.responses, { signal }),
  "patchFeatures()": (signal, onProgress) =>
    patchFeatures("mae_tiny", photographs(onProgress), [1], { signal }),
  "meanFeatures()": (signal, onProgress) => meanFeatures(["mae_tiny"], photographs(onProgress), { signal }),
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
