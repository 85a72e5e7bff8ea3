/** What a clicked node resembles and what it activates, on WebGPU or in plain JavaScript; runs in the page and in Deno. */
import { closeGpu, type Gpu, openGpu } from "../../gpu/mod.ts";
import { multiply } from "../../linalg/matmul.ts";
import { downloadMatrices, type Matrix, releaseMatrix, rowView, uploadMatrix } from "../../linalg/matrix.ts";
import { normalizeRows } from "../../linalg/row_normalize.ts";

/** What clicks are answered from. */
export interface ClickData {
  /** n × C, one row a node, none of them zero. */
  eigenvectors: Matrix;
  /** v′ of a node, its aligned feature: D′ values. */
  feature(node: number): Float32Array;
  /** D′ × voxels: β. */
  beta: Matrix;
}

/** The answer to a click. */
export interface ClickResponse {
  /** cos(x_i, x_clicked) of every node's row of eigenvectors. */
  similarity: Float32Array;
  /** v′_clicked β: the node's activation of every voxel, in the unit of the responses. */
  activation: Float32Array;
}

/** Something that answers clicks. */
export interface Responder {
  /** What computes, for the reader. */
  name: string;
  respond(node: number): Promise<ClickResponse>;
  close(): void;
}

/**
 * Answers clicks with the shaders row_normalize and matmul.
 *
 * @param open opens the device; by default the one that WebGPU offers
 * @throws Error where there is no adapter
 */
export async function respondOnGpu(
  { eigenvectors, feature, beta }: ClickData,
  open: () => Promise<Gpu> = openGpu,
): Promise<Responder> {
  const gpu = await open(), { description, vendor } = gpu.adapter;
  const raw = uploadMatrix(gpu, eigenvectors, "eigenvectors");
  const unit = normalizeRows(gpu, raw);
  releaseMatrix(gpu, raw);
  const encoder = uploadMatrix(gpu, beta, "β");
  return {
    name: `WebGPU on ${vendor || description}`,
    async respond(node) {
      const data = feature(node);
      const row = uploadMatrix(gpu, { data, rows: 1, cols: data.length }, "aligned feature");
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

/** Answers clicks without WebGPU, in float64. */
export function respondOnHost({ eigenvectors, feature, beta }: ClickData): Responder {
  const { data, rows, cols } = eigenvectors;
  const lengths = new Float64Array(rows);
  for (let i = 0; i < rows; i++) lengths[i] = Math.hypot(...data.subarray(i * cols, (i + 1) * cols));
  return {
    name: "plain JavaScript",
    respond(node) {
      const similarity = new Float32Array(rows);
      for (let i = 0; i < rows; i++) {
        let dot = 0;
        for (let c = 0; c < cols; c++) dot += data[i * cols + c] * data[node * cols + c];
        similarity[i] = dot / lengths[i] / lengths[node];
      }
      const sums = new Float64Array(beta.cols);
      feature(node).forEach((value, d) => {
        for (let v = 0; v < beta.cols; v++) sums[v] += value * beta.data[d * beta.cols + v];
      });
      return Promise.resolve({ similarity, activation: Float32Array.from(sums) });
    },
    close() {},
  };
}
