/** From a loss on the top eigenvectors of the normalised affinity back to the features it was made of. */
import affinityCode from "../../shaders/affinity_gradient.wgsl" with { type: "text" };
import degreeCode from "../../shaders/degree_gradient.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release } from "../gpu/mod.ts";
import { multiply } from "../linalg/matmul.ts";
import { allocateMatrix, type GpuMatrix, releaseMatrix } from "../linalg/matrix.ts";

const DEGREE_GRADIENT: Kernel = { label: "degree_gradient", code: degreeCode };
const AFFINITY_GRADIENT: Kernel = { label: "affinity_gradient", code: affinityCode };
const WORKGROUP = 16;
const RUN = 64; // columns per invocation

/** What is known of the graph on the GPU, all in one panel each. */
export interface AffinityGraph {
  /** A, n × n. */
  affinity: GpuMatrix;
  /** d^−½, n × 1 values one after the other. */
  root: GPUBuffer;
  /** v̂, n × d unit rows. */
  unit: GpuMatrix;
}

/**
 * h, one a node: what ∂L/∂M = Z Xᵀ + X Zᵀ does to the degrees.
 *
 * @param product Z Xᵀ, n × n
 */
export function degreeGradient(gpu: Gpu, { affinity, root }: AffinityGraph, product: GpuMatrix): GPUBuffer {
  const n = affinity.rows;
  const out = allocate(gpu, n * 4, "gradient of degrees");
  dispatch(gpu, DEGREE_GRADIENT, {
    buffers: [affinity.panels[0], product.panels[0], root, out],
    u32: [n, affinity.stride],
    workgroups: [Math.ceil(n / WORKGROUP)],
    sizes: `${n} nodes`,
  });
  return out;
}

/**
 * T, n × n, with ∂L/∂v̂ = T v̂ (METHOD, "Eigen-constraint").
 *
 * @param product Z Xᵀ, n × n
 * @param scale factor on all of it
 */
export function affinityGradient(
  gpu: Gpu,
  graph: AffinityGraph,
  product: GpuMatrix,
  degree: GPUBuffer,
  scale: number,
): GpuMatrix {
  const { affinity, root } = graph, n = affinity.rows;
  const out = allocateMatrix(gpu, n, n, "gradient of the affinity");
  dispatch(gpu, AFFINITY_GRADIENT, {
    buffers: [affinity.panels[0], product.panels[0], root, degree, out.panels[0]],
    u32: [n, affinity.stride],
    f32: [scale],
    workgroups: [Math.ceil(n / WORKGROUP), Math.ceil(affinity.stride / RUN)],
    sizes: `${n} nodes`,
  });
  return out;
}

/**
 * scale · ∂L/∂v̂ for a loss with ∂L/∂M = Z Xᵀ + X Zᵀ, M = D^−½ A D^−½ and A_ij = exp(v̂_iᵀ v̂_j − 1).
 *
 * @param z n × c
 * @param x n × c, eigenvectors
 * @returns n × d, to be released
 */
export function unitRowsGradient(
  gpu: Gpu,
  graph: AffinityGraph,
  z: GpuMatrix,
  x: GpuMatrix,
  scale: number,
): GpuMatrix {
  const product = multiply(gpu, z, x, { transposeB: true });
  const degree = degreeGradient(gpu, graph, product);
  const t = affinityGradient(gpu, graph, product, degree, scale);
  const gradient = multiply(gpu, t, graph.unit);
  releaseMatrix(gpu, product, t);
  release(gpu, degree);
  return gradient;
}
