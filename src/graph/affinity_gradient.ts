/** From a loss on the top eigenvectors of the normalised affinity back to the features it was made of. */
import code from "../../shaders/affinity_gradient.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release } from "../gpu/mod.ts";
import { combine } from "../linalg/combine.ts";
import { multiply } from "../linalg/matmul.ts";
import { allocateMatrix, type GpuMatrix, releaseMatrix } from "../linalg/matrix.ts";
import { scaleRows } from "../linalg/affine_rows.ts";
import { rowSums, type UnitRows } from "./affinity.ts";

const DEGREE_GRADIENT: Kernel = { label: "degree_gradient", code };
const AFFINITY_GRADIENT: Kernel = { label: "affinity_gradient", code };
const WORKGROUP = 16;
const RUN = 64; // columns per invocation

/** What is known of the graph on the GPU, all in one panel each. */
export interface AffinityGraph {
  /** A, n × n. */
  affinity: GpuMatrix;
  /** d^−½, n × 1 values one after the other. */
  root: GPUBuffer;
  /** w, n × d. */
  nodes: UnitRows;
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
    buffers: [affinity.panels[0], product.panels[0], root, root, out],
    params: { nodes: n, stride: affinity.stride, scale: 1 },
    overrides: { DEGREES: 1 },
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
    params: { nodes: n, stride: affinity.stride, scale },
    workgroups: [Math.ceil(n / WORKGROUP), Math.ceil(affinity.stride / RUN)],
    sizes: `${n} nodes`,
  });
  return out;
}

/**
 * scale · ∂L/∂w for a loss with ∂L/∂M = Z Xᵀ + X Zᵀ, M = D^−½ A D^−½ and A_ij = exp(−|w_i − w_j|² / 2):
 * Σ_j T_ij (w_j − w_i), which is as small as the nodes are apart. It is ∂L/∂v̂ but for a part along v̂_i, which
 * `rowNormalizeGradient` takes out.
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
  const { rows } = graph.nodes, n = rows.rows, sums = allocate(gpu, n * 4, "row sums of T");
  rowSums(gpu, { first: 0, rows: n, buffer: t.panels[0], panelRow: 0 }, t.stride, sums);
  const others = multiply(gpu, t, rows), own = scaleRows(gpu, rows, sums);
  const gradient = allocateMatrix(gpu, n, rows.cols, "gradient of unit rows");
  combine(gpu, gradient, [1, others], [-1, own]);
  releaseMatrix(gpu, product, t, others, own);
  for (const buffer of [degree, sums]) release(gpu, buffer);
  return gradient;
}
