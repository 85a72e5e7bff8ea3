/** Layers of models in an alignment, by name. */
import type { AlignSlot } from "./model.ts";

/** What the slot of a model's layer is called. @param layer 1 is the first */
export function slotName(model: string, layer: number): string {
  return `${model} L${layer}`;
}

/**
 * The slot of a model's layer.
 *
 * @returns its index
 * @throws Error "The alignment has no slot vit L3: train it on the same models."
 */
export function findSlot(slots: readonly AlignSlot[], model: string, layer: number): number {
  const at = slots.findIndex(({ name }) => name === slotName(model, layer));
  if (at < 0) {
    throw new Error(`The alignment has no slot ${slotName(model, layer)}: train it on the same models.`);
  }
  return at;
}

/** The layers of a model that have slots, ascending. */
export function slotLayers(slots: readonly AlignSlot[], model: string): number[] {
  const layers = slots.flatMap(({ name }) => {
    const [, own, layer] = /^(.*) L(\d+)$/.exec(name) ?? [];
    return own === model ? [Number(layer)] : [];
  });
  return layers.sort((a, b) => a - b);
}
