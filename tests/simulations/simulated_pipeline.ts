/** A pipeline of a small simulation, with or without effects in its eigenvectors, map and colors. */
import type { Random } from "../../src/linalg/random.ts";
import type { Pipeline } from "../../src/pipeline/nodes.ts";
import { categories, figures, IMAGES, PATCHES, SIDE, smoothField } from "./fields.ts";

/** What a simulation has. */
export interface SimulationPlan {
  models: string[];
  layers: number;
  /** Eigenvectors; the first three are the colors, the first two the map. */
  components: number;
  /** Of the figures, 1 if absent. */
  figureSize?: number;
  /**
   * Value that a layer adds to a component at a patch.
   *
   * @param layer from 1 on
   */
  effect?: (at: { layer: number; component: number; figure: number; category: number }) => number;
  /** How much of a layer is one field of all images, by place alone, and how much is an image's own level; both ½ if absent. */
  place?: (layer: number) => number;
  image?: (layer: number) => number;
}

/** Tokens of an image: the class token, then the patches. */
const TOKENS = 1 + PATCHES;

/**
 * Sixteen images of four categories. Each layer is place, image and smooth noise, which goes on from layer to layer;
 * figures stand in the middle more often than not, and nothing but `effect` knows of them.
 *
 * @param random of the simulation
 */
export function simulatedPipeline(
  random: Random,
  { models, layers, components, figureSize, effect, place = () => 0.5, image = () => 0.5 }: SimulationPlan,
): Pipeline & { masks: Uint8Array[]; category: number[] } {
  const masks = figures(random, figureSize), category = categories();
  const slots = models.flatMap((model, m) =>
    Array.from(
      { length: layers },
      (_, l) => ({ model, layer: l + 1, first: (m * layers + l) * IMAGES * TOKENS }),
    )
  );
  const rows = slots.length * IMAGES * TOKENS, data = new Float32Array(rows * components);
  for (let m = 0; m < models.length; m++) {
    for (let c = 0; c < components; c++) {
      const template = smoothField(random);
      for (let i = 0; i < IMAGES; i++) {
        const level = smoothField(random)[0];
        let noise = smoothField(random);
        for (let layer = 1; layer <= layers; layer++) {
          const fresh = smoothField(random),
            first = (slots[m * layers + layer - 1].first + i * TOKENS) * components;
          noise = noise.map((value, p) => 0.8 * value + 0.6 * fresh[p]);
          for (let p = 0; p < PATCHES; p++) {
            const figure = masks[i][p];
            data[first + (1 + p) * components + c] = place(layer) * template[p] + image(layer) * level +
              0.7 * noise[p] + (effect?.({ layer, component: c, figure, category: category[i] }) ?? 0);
          }
        }
      }
    }
  }
  const plane = (dims: number) =>
    Float32Array.from(
      { length: rows * dims },
      (_, at) => data[Math.floor(at / dims) * components + at % dims],
    );
  const colors = Uint8Array.from(
    plane(3),
    (value) => Math.max(0, Math.min(255, Math.round(128 + 40 * value))),
  );
  return {
    masks,
    category,
    models,
    slots,
    tokens: TOKENS,
    grid: { rows: SIDE, cols: SIDE },
    data: "a simulation",
    classes: ["background", "one", "two", "three", "four"],
    images: masks.map((mask, i) => ({
      name: `image ${i}`,
      load: () => Promise.resolve({ width: SIDE, height: SIDE, data: grays(i) }),
      mask: () => Promise.resolve({ width: SIDE, height: SIDE, data: mask }),
      classMask: () =>
        Promise.resolve({ width: SIDE, height: SIDE, data: mask.map((figure) => figure * category[i]) }),
    })),
    eigenvectors: { data, rows, cols: components },
    points2: { data: plane(2), rows, cols: 2 },
    points3: { data: plane(3), rows, cols: 3 },
    colors,
    total: { images: masks.length, nodes: rows },
    sampleVectors: { data: new Float32Array(0), rows: 0, cols: components },
    nearest: Uint32Array.from({ length: rows }, (_, i) => i),
    // The parts that the simulations' experiments do not read.
    ...{} as Pick<Pipeline, "fit" | "search" | "map" | "align" | "files" | "manifests">,
  };
}

/** Gray pixels without a figure. */
function grays(seed: number): Uint8Array {
  return Uint8Array.from({ length: 3 * PATCHES }, (_, at) => (at * 37 + seed * 101) % 200);
}
