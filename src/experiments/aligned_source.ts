/** Features as the graph's nodes: raw from their files, and aligned. */
import { type AlignModel, applyAlign } from "../align/model.ts";
import type { FeatureManifest } from "../data/extract.ts";
import { type FeatureSource, openFeatureSource } from "../data/feature_source.ts";
import type { Gpu } from "../gpu/mod.ts";
import type { NodeSource } from "../graph/node_source.ts";

/** Aligned features, read panel by panel: raw ones through their slot's transform. */
export function alignedSource(gpu: Gpu, raw: FeatureSource, align: AlignModel): NodeSource {
  const slotOfAlign = raw.slots.map(({ model, layer }) => {
    const at = align.slots.findIndex(({ name }) => name === `${model} L${layer}`);
    if (at < 0) throw new Error(`The align has no slot ${model} L${layer}: train it on the same models.`);
    return at;
  });
  return {
    rows: raw.rows,
    cols: align.transforms.cols,
    name: "aligned features",
    strata: raw.strata,
    async read(first, count) {
      const data = new Float32Array(count * align.transforms.cols);
      for (const [i, slot] of raw.slots.entries()) {
        const from = Math.max(first, slot.first), to = Math.min(first + count, slot.first + slot.rows);
        if (from >= to) continue;
        const aligned = await applyAlign(gpu, align, slotOfAlign[i], await raw.read(from, to - from));
        data.set(aligned.data, (from - first) * align.transforms.cols);
      }
      return { data, rows: count, cols: align.transforms.cols };
    },
  };
}

/** The raw features of all slots, in the order of the pipeline's nodes; to be closed. */
export function openRawFeatures(manifests: FeatureManifest[]): Promise<FeatureSource> {
  return openFeatureSource(manifests.flatMap(({ layers }) => layers.map(({ path }) => path)));
}
