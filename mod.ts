/**
 * AlignedCut for Deno: normalised cuts of vision-transformer features, computed in WGSL on WebGPU.
 *
 * @module
 */
export {
  type AdapterSummary,
  closeGpu,
  type Gpu,
  type GpuOptions,
  type GpuState,
  type KernelTimer,
  openGpu,
} from "./src/gpu/device.ts";
export { type AffinityOperatorOptions, type Storage } from "./src/graph/affinity_operator.ts";
export { type KernelTime, timeKernels } from "./src/gpu/timing.ts";
export { type Matrix } from "./src/linalg/matrix.ts";
export { matmul, type MatmulOptions } from "./src/linalg/matmul.ts";
export { rowNormalize } from "./src/linalg/row_normalize.ts";
export { affinity, degrees } from "./src/graph/affinity.ts";
export { type NormalizedCut, normalizedCut, type NormalizedCutOptions } from "./src/graph/normalized_cut.ts";
export { nearestNeighbors, type NeighborOptions, type Neighbors } from "./src/graph/knn.ts";
export { propagate } from "./src/graph/propagate.ts";
export { type Tsne, tsne, type TsneOptions } from "./src/embed/tsne.ts";
export { trustworthiness } from "./src/embed/trustworthiness.ts";
export { colorsFromPoints } from "./src/embed/color.ts";
