/** A made-up pipeline whose figure leaves the ground at known layers. */
import type { Pipeline } from "../../src/pipeline/nodes.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { testSeed } from "./random.ts";

/**
 * Ten images, or N, of 6 × 6 patches with a figure of 3 × 3 somewhere, five layers a model. Eigenvectors are noise, and from
 * the layer `partsAt` on figure and ground lie at ± ½ along the first; the map shows the first two.
 */
export function walkingPipeline(
  { partsAt, count = 10 }: { partsAt: Record<string, number>; count?: number },
): Pipeline {
  const random = seededRandom(testSeed),
    side = 6,
    tokens = 1 + side * side,
    layers = 5,
    components = 4;
  const masks = Array.from({ length: count }, () => {
    const top = Math.floor(4 * random()), left = Math.floor(4 * random());
    return Uint8Array.from({ length: side * side }, (_, p) => {
      const row = Math.floor(p / side) - top, col = p % side - left;
      return row >= 0 && row < 3 && col >= 0 && col < 3 ? 1 : 0;
    });
  });
  const models = Object.keys(partsAt);
  const slots = models.flatMap((model, m) =>
    Array.from(
      { length: layers },
      (_, l) => ({ model, layer: l + 1, first: (m * layers + l) * count * tokens }),
    )
  );
  const rows = slots.length * count * tokens, data = new Float32Array(rows * components);
  const points = new Float32Array(rows * 2);
  for (const { model, layer, first } of slots) {
    for (let i = 0; i < count * tokens; i++) {
      const patch = i % tokens - 1, figure = patch >= 0 && masks[Math.floor(i / tokens)][patch] === 1;
      for (let c = 0; c < components; c++) data[(first + i) * components + c] = 0.4 * (random() - 0.5);
      if (layer >= partsAt[model]) data[(first + i) * components] += figure ? 0.5 : -0.5;
      points.set(data.subarray((first + i) * components, (first + i) * components + 2), 2 * (first + i));
    }
  }
  return {
    models,
    slots,
    tokens,
    grid: { rows: side, cols: side },
    data: "made up",
    classes: ["background", ...Array.from({ length: 9 }, (_, i) => `class ${i + 1}`)],
    images: masks.map((mask, i) => ({
      name: `image ${i}`,
      load: () =>
        Promise.resolve({ width: side, height: side, data: new Uint8Array(3 * side * side).fill(90) }),
      mask: () => Promise.resolve({ width: side, height: side, data: mask }),
    })),
    total: { images: masks.length, nodes: rows },
    eigenvectors: { data, rows, cols: components },
    points2: { data: points, rows, cols: 2 },
    manifests: [{ hook: "attention" }] as Pipeline["manifests"],
    sampleVectors: { data: new Float32Array(0), rows: 0, cols: components },
    nearest: Uint32Array.from({ length: rows }, (_, i) => i),
    // The parts that these experiments do not read.
    ...{} as Pick<
      Pipeline,
      "fit" | "search" | "points3" | "map" | "colors" | "align" | "files"
    >,
  };
}
