/** Clicks on a sample of nodes: what their answers range over; runs in pages and in Deno. */
import type { Matrix } from "../../linalg/matrix.ts";
import { type ClickData, respondOnHost, sumOverSlots } from "./click_response.ts";
import { spread } from "./spread.ts";

/** Nodes of the sample. */
const CLICKS = 40;
/** Share of the activations that the color scale tells apart. */
const SHOWN = 0.995;

/** Answers one behind the other; activations by one layer and by the sum over all. */
export interface SampledClicks {
  similarity: Float32Array;
  layer: Float32Array;
  sum: Float32Array;
}

/** @param features n × D′, in the order of the eigenvectors */
export async function sampleClicks(
  { features, ...data }: ClickData & { features: Matrix },
  layout: { slots: number; images: number; tokens: number },
): Promise<SampledClicks> {
  const { rows } = data.eigenvectors, { cols: voxels } = data.beta, sample = spread(CLICKS, rows);
  const responder = respondOnHost(data);
  const feature = (node: number) => features.data.subarray(node * features.cols, (node + 1) * features.cols);
  const similarity = new Float32Array(sample.length * rows);
  const layer = new Float32Array(sample.length * voxels), sum = new Float32Array(layer.length);
  for (const [i, node] of sample.entries()) {
    const own = await responder.respond(node, feature(node));
    const summed = await responder.respond(node, sumOverSlots(feature, node, layout));
    similarity.set(own.similarity, i * rows);
    layer.set(own.activation, i * voxels);
    sum.set(summed.activation, i * voxels);
  }
  return { similarity, layer, sum };
}

/** Activation at the ends of the color scale. */
export function activationLimits({ layer, sum }: Pick<SampledClicks, "layer" | "sum">) {
  const limit = (values: Float32Array) => {
    const sorted = values.map(Math.abs).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(SHOWN * sorted.length))] || 1;
  };
  return { sum: limit(sum), layer: limit(layer) };
}
