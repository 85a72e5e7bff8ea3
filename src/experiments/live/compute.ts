/** A photograph through a model, layer by layer: what the live page computes, free of the page itself and of any runtime's API. */
import { leadingChannels } from "../../align/model.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { cutWarning } from "../../graph/normalized_cut.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import { preprocess, previewCrop } from "../../data/images/preprocess.ts";
import { wholePatches } from "../../data/images/whole_patches.ts";
import { type SpacePart, tokensInSpace } from "../shared/space_colors.ts";
import { layerColors } from "../shared/layer_colors.ts";
import type { LiveModel, PhotographAnswer } from "./model.ts";

/** Eigenvectors of a layer, as everywhere. */
export const COMPONENTS = 20;

/** Runs a model: pixels, 3 × height × width, in; every layer's tensor out, as it is there. */
export type RunModel = (
  pixels: Float32Array,
  dims: readonly number[],
) => Promise<Record<string, ArrayLike<number>>>;

/** An answer without the photograph's number. */
type Step = PhotographAnswer extends infer A ? A extends unknown ? Omit<A, "id"> : never : never;

/** What computes. */
export interface LiveMeans {
  /** null where there is none: then the saved space is left out, and a layer has 400 tokens at most. */
  gpu: Gpu | null;
  run: RunModel;
  /** Opens the saved space, for models with slots in it. */
  openSpace?: (gpu: Gpu) => Promise<SpacePart & { shared: number }>;
}

/**
 * The nodes of one image's graph: class token, or the mean of the patches where there is none, then the patches; registers
 * dropped.
 *
 * @param values (class token + registers + patches) × width
 * @returns (1 + patches) × width
 * @throws Error "layer 3 has 100 values, expected 198 tokens × 192: write the folder again."
 */
export function tokensOf(values: ArrayLike<number>, { layout, width }: LiveModel, layer: number): Matrix {
  const { classToken, registers, grid } = layout, patches = grid.rows * grid.cols;
  const before = registers + (classToken ? 1 : 0), tokens = before + patches;
  if (values.length !== tokens * width) {
    throw new Error(
      `layer ${layer} has ${values.length} values, expected ${tokens} tokens × ${width}: write the folder again.`,
    );
  }
  const data = new Float32Array((1 + patches) * width);
  for (let i = 0; i < patches * width; i++) data[width + i] = values[before * width + i];
  for (let c = 0; c < width; c++) {
    let sum = 0;
    if (!classToken) { for (let t = 1; t <= patches; t++) sum += data[t * width + c]; }
    data[c] = classToken ? values[c] : sum / patches;
  }
  return { data, rows: 1 + patches, cols: width };
}

/**
 * All layers of one photograph in the saved space, where the model has slots in it; then every layer's normalised cut and
 * colors, a graph of its own (METHOD (3) and "Spectral-tSNE and AlignedCut color"), reported as they come.
 *
 * @param image h × w × 3 bytes
 * @param onStep the picture as the model sees it; progress; the space; each layer; the seconds that the parts took
 * @param own layers, from the first on, that get a cut and colors of their own; default all
 */
export async function photographLayers(
  { gpu, run, openSpace }: LiveMeans,
  model: LiveModel,
  image: RgbImage,
  name: string,
  onStep: (step: Step) => void,
  own: number = model.tensors.length,
): Promise<void> {
  const { preprocessor, tensors, slots, patch } = model;
  onStep({ kind: "seen", picture: wholePatches(previewCrop(image, preprocessor, name), patch) });
  const { data, width, height } = preprocess(image, preprocessor, name);
  const started = performance.now(), outputs = await run(data, [1, 3, height, width]);
  const ran = performance.now();
  const layers = tensors.map((tensor, at) => tokensOf(outputs[tensor], model, at + 1));
  if (gpu && slots && openSpace) {
    onStep({ kind: "progress", share: 0, text: "all layers in the saved space" });
    const space = await openSpace(gpu);
    const { aligned, eigenvectors, colors } = await tokensInSpace(
      gpu,
      space,
      layers.map((tokens, at) => ({ slot: slots[at], tokens })),
    );
    onStep({
      kind: "space",
      colors,
      eigenvectors: eigenvectors.data,
      aligned: leadingChannels(aligned, space.shared).data,
    });
  }
  const placed = performance.now();
  for (const [at, features] of layers.slice(0, own).entries()) {
    const layer = at + 1, text = `layer ${layer} of ${tensors.length}`;
    let reported = -1;
    const progress = (share: number) => {
      const tenths = Math.floor(10 * share);
      if (tenths === reported) return; // t-SNE reports every step
      reported = tenths;
      onStep({ kind: "progress", share: (at + share) / tensors.length, text });
    };
    progress(0);
    const { cut, colors } = await layerColors(gpu, features, {
      components: Math.min(COMPONENTS, features.rows),
      name: `layer ${layer} of ${name}`,
      onProgress: progress,
    });
    onStep({
      kind: "layer",
      layer,
      colors,
      eigenvectors: cut.eigenvectors.data,
      features: features.data,
      eigenvalues: [...cut.eigenvalues],
      warning: cutWarning(cut),
    });
  }
  const seconds = {
    model: (ran - started) / 1000,
    space: (placed - ran) / 1000,
    layers: (performance.now() - placed) / 1000,
  };
  onStep({ kind: "done", seconds });
}

/** Side of the picture that stands for a photograph. */
const NOISE = 64;

/** A picture of noise through a model, so that what photographs take is loaded and compiled before there is one. */
export async function warmUp(means: LiveMeans, model: LiveModel): Promise<void> {
  await photographLayers(means, model, noise({ width: NOISE, height: NOISE }), "noise", () => {}, 1);
}

/** An image in which no two patches are alike. */
export function noise({ width, height }: { width: number; height: number }): RgbImage {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, at) => at * 7919 % 2003 % 256);
  return { width, height, data };
}
