/** Features as the graph's nodes: raw from their files, and aligned. */
import { type AlignModel, applyAlign } from "../align/model.ts";
import { findSlot } from "../align/slots.ts";
import { type FeatureSlots, openFeatureSlots, partsOf } from "../data/features/feature_source.ts";
import type { Gpu } from "../gpu/mod.ts";
import type { NodeSource } from "../graph/node_source.ts";
import type { FeatureManifest } from "../data/features/extract_parts.ts";

/**
 * Aligned features, read panel by panel: raw ones through their slot's transform, which brings slots of any width to one.
 *
 * @throws Error "The alignment has no slot b L3: train it on the same models."; "… has 64 channels, the alignment's slot b L3 128: …"
 */
export function alignedSource(gpu: Gpu, raw: FeatureSlots, align: AlignModel): NodeSource {
  const slotOfAlign = raw.slots.map(({ path, model, layer, cols }) => {
    const at = findSlot(align.slots, model, layer);
    const { name, width } = align.slots[at];
    if (width !== cols) {
      throw new Error(
        `${path} has ${cols} channels, the alignment's slot ${name} ${width}: train it on the same models.`,
      );
    }
    return at;
  });
  return {
    rows: raw.rows,
    cols: align.transforms.cols,
    name: "aligned features",
    strata: raw.strata,
    async read(first, count) {
      const data = new Float32Array(count * align.transforms.cols);
      for (const { slot, from, to } of partsOf(raw.slots, first, count)) {
        const features = await raw.readSlot(slot, from - raw.slots[slot].first, to - from);
        const aligned = await applyAlign(gpu, align, slotOfAlign[slot], features);
        data.set(aligned.data, (from - first) * align.transforms.cols);
      }
      return { data, rows: count, cols: align.transforms.cols };
    },
  };
}

/** The raw features of all slots, in the order of the pipeline's nodes; to be closed. */
export function openRawFeatures(manifests: FeatureManifest[]): Promise<FeatureSlots> {
  return openFeatureSlots(manifests.flatMap(({ layers }) => layers.map(({ path }) => path)));
}
