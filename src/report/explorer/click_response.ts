/** What a clicked node resembles and what it activates, on WebGPU or in plain JavaScript; runs in the page and in Deno. */
import { closeGpu, type Gpu, openGpu } from "../../gpu/mod.ts";
import { multiply } from "../../linalg/matmul.ts";
import { downloadMatrices, type Matrix, releaseMatrix, rowView, uploadMatrix } from "../../linalg/matrix.ts";
import { normalizeRows } from "../../linalg/row_normalize.ts";

/** What clicks are answered from. */
export interface ClickData {
  /** n × C, one row a node, none of them zero. */
  eigenvectors: Matrix;
  /** D′ × voxels: β. */
  beta: Matrix;
}

/** The answer to a click. */
export interface ClickResponse {
  /** cos(x_i, x_clicked) of every node's row of eigenvectors. */
  similarity: Float32Array;
  /** v′ β of the features given: the activation of every voxel, in the unit of the responses. */
  activation: Float32Array;
}

/** Something that answers clicks. */
export interface Responder {
  /** What computes, for the reader. */
  name: string;
  /** @param feature D′ values: v′ of the node, or of all layers at its place */
  respond(node: number, feature: Float32Array): Promise<ClickResponse>;
  close(): void;
}

/**
 * Answers clicks with the shaders row_normalize and matmul.
 *
 * @param open opens the device; by default the one that WebGPU offers
 * @throws Error where there is no adapter
 */
export async function respondOnGpu(
  { eigenvectors, beta }: ClickData,
  open: () => Promise<Gpu> = openGpu,
): Promise<Responder> {
  const gpu = await open(), { description, vendor } = gpu.adapter;
  const raw = uploadMatrix(gpu, eigenvectors, "eigenvectors");
  const unit = normalizeRows(gpu, raw);
  releaseMatrix(gpu, raw);
  const encoder = uploadMatrix(gpu, beta, "β");
  return {
    name: `WebGPU on ${vendor || description}`,
    async respond(node, feature) {
      const row = uploadMatrix(gpu, { data: feature, rows: 1, cols: feature.length }, "aligned feature");
      const similarity = multiply(gpu, rowView(unit, node, 1), unit, { transposeB: true });
      const activation = multiply(gpu, row, encoder);
      try {
        const answers = await downloadMatrices(gpu, similarity, activation);
        return { similarity: answers[0].data, activation: answers[1].data };
      } finally {
        releaseMatrix(gpu, row, similarity, activation);
      }
    },
    close: () => closeGpu(gpu),
  };
}

/** Answers clicks without WebGPU; `unit` holds the rows of eigenvectors at length 1. */
export function respondOnHost({ eigenvectors, beta }: ClickData): Responder & { unit: Matrix } {
  const unit = unitRows(eigenvectors);
  return {
    name: "plain JavaScript",
    unit,
    respond(node, feature) {
      const sums = new Float64Array(beta.cols);
      feature.forEach((value, d) => {
        for (let v = 0; v < beta.cols; v++) sums[v] += value * beta.data[d * beta.cols + v];
      });
      return Promise.resolve({
        similarity: similarities(unit, node, 0, unit.rows),
        activation: Float32Array.from(sums),
      });
    },
    close() {},
  };
}

/** Rows scaled to length 1, none of them zero. */
export function unitRows({ data, rows, cols }: Matrix): Matrix {
  const unit = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let c = 0; c < cols; c++) squares += data[i * cols + c] ** 2;
    const length = Math.sqrt(squares);
    for (let c = 0; c < cols; c++) unit[i * cols + c] = data[i * cols + c] / length;
  }
  return { data: unit, rows, cols };
}

/** Cosines of `count` nodes from `first` on with one node, from unit rows: n × C. */
export function similarities(
  { data, cols }: Matrix,
  node: number,
  first: number,
  count: number,
): Float32Array {
  const similarity = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let dot = 0;
    for (let c = 0; c < cols; c++) dot += data[(first + i) * cols + c] * data[node * cols + c];
    similarity[i] = dot;
  }
  return similarity;
}

/** Σ_l v′_l of all layers and models at a node's place in its image: METHOD (2) before pooling. */
export function sumOverSlots(
  feature: (node: number) => Float32Array,
  node: number,
  { slots, images, tokens }: { slots: number; images: number; tokens: number },
): Float32Array {
  const place = node % (images * tokens), sum = new Float64Array(feature(place).length);
  for (let slot = 0; slot < slots; slot++) {
    feature(slot * images * tokens + place).forEach((value, d) => sum[d] += value);
  }
  return Float32Array.from(sum);
}
