/**
 * AlignedCut for Deno: normalised cuts of vision-transformer features, computed in WGSL on WebGPU.
 *
 * @module
 */
export { type AdapterSummary, closeGpu, type Gpu, type GpuOptions, openGpu } from "./src/gpu/device.ts";
export { type KernelTime, timeKernels } from "./src/gpu/timing.ts";
export { type Matrix } from "./src/linalg/matrix.ts";
export { matmul, type MatmulOptions } from "./src/linalg/matmul.ts";
export { rowNormalize } from "./src/linalg/row_normalize.ts";
export { affinity, degrees } from "./src/graph/affinity.ts";
export { type NormalizedCut, normalizedCut, type NormalizedCutOptions } from "./src/graph/normalized_cut.ts";
