/** Features of vision transformers for scripts. */
import type { Matrix } from "../linalg/matrix.ts";
import type { Picture } from "./photographs.ts";
import type { Hook } from "../data/onnx/head_roles.ts";

export type { Hook };

/** Patch features of some photographs. */
export interface PatchFeatures {
  /** The model file's name without its ending. */
  model: string;
  /** What was taken of every block. */
  hook: Hook;
  /** Patches of a photograph. */
  grid: {
    /** From top to bottom. */
    rows: number;
    /** From left to right. */
    cols: number;
  };
  /** One a layer asked for, in ascending order. */
  layers: {
    /** 1 is the first. */
    layer: number;
    /** photographs · patches × width, photograph by photograph, patches row by row. */
    patches: Matrix;
  }[];
  /** File names of the photographs. */
  names: string[];
  /** What the model saw of each. */
  views: Picture[];
}

/** The layers' means of some photographs. */
export interface MeanFeatures {
  /** One per layer, as "mae_tiny L3", with its channels. */
  slots: {
    /** Model and layer. */
    name: string;
    /** Channels. */
    width: number;
  }[];
  /** photographs × Σ widths: each layer's mean over class token (where there is one) and patches, layers side by side. */
  means: Matrix;
}

/**
 * Runs a vision transformer over photographs: the attention block's output of every layer after its projection, before the
 * residual add (METHOD, `V_l`), or another hook, of every patch.
 *
 * @param model path of an ONNX file with its NAME.preprocessor.json beside it, or the name of an embedded one (clip_tiny, dino_tiny, mae_tiny) or of one that `./run models add` has added
 * @param photographs paths of image files
 * @param layers numbers of the layers wanted, from 1; default all
 * @param hook what is taken of every block; default "attention"
 * @param shifts runs with the image shifted, along each side: 2 gives four times the patches, in four times the time
 *   (shift-and-stitch, Long et al. 2015); default 1
 * @returns per layer photographs · patches × D_l float32, in the model's own units, without class and register tokens
 * @throws Error one sentence that names the model or photograph that is not usable
 * @throws RangeError "mae_tiny has layers 1 to 12, not 13."; "shifts is 9: give a whole number from 1 to 8."
 *
 * Memory: photographs × patches × width × layers float32 values.
 */
export async function patchFeatures(
  model: string,
  photographs: readonly string[],
  layers?: readonly number[],
  hook: Hook = "attention",
  shifts = 1,
): Promise<PatchFeatures> {
  const { streamFeatures } = await import("../data/features/stream_features.ts");
  const { openKnownModel } = await import("../data/models/known_models.ts");
  const { MAX_SHIFTS } = await import("../data/images/shift_and_stitch.ts");
  if (!(Number.isInteger(shifts) && shifts >= 1 && shifts <= MAX_SHIFTS)) {
    throw new RangeError(`shifts is ${shifts}: give a whole number from 1 to ${MAX_SHIFTS}.`);
  }
  const { previewCrop } = await import("../data/images/preprocess.ts");
  const { readImage } = await import("../data/images/image.ts");
  const names = photographs.map(nameOf), views: Picture[] = [];
  const { path, preprocessor, registers } = await openKnownModel(model);
  const found: PatchFeatures["layers"] = [], indexOf = new Map<number, number>();
  let patches = 0;
  const { model: name, grid } = await streamFeatures({
    model: path,
    preprocessor,
    registers,
    hook,
    shifts,
    outDir: ".",
    dtype: "float32",
    images: photographs.map((photograph, i) => ({
      name: names[i],
      async load() {
        const image = await readImage(photograph);
        views[i] = previewCrop(image, preprocessor, photograph);
        return image;
      },
    })),
  }, {
    begin(manifest) {
      patches = manifest.tokens - 1;
      const last = manifest.layers.length,
        wrong = layers?.find((layer) => !(Number.isInteger(layer) && layer >= 1 && layer <= last));
      if (wrong !== undefined) {
        throw new RangeError(`${manifest.model} has layers 1 to ${last}, not ${wrong}.`);
      }
      for (const [l, { layer }] of manifest.layers.entries()) {
        if (layers && !layers.includes(layer)) continue;
        indexOf.set(l, found.length);
        const rows = photographs.length * patches, cols = manifest.width;
        found.push({ layer, patches: { data: new Float32Array(rows * cols), rows, cols } });
      }
    },
    rows(l, { image, token, vectors }) {
      const index = indexOf.get(l);
      if (index === undefined) return;
      const { data, cols } = found[index].patches;
      for (let i = 0; i < image.length; i++) {
        if (token[i] === 0) continue; // the class token
        data.set(vectors.subarray(i * cols, (i + 1) * cols), (image[i] * patches + token[i] - 1) * cols);
      }
    },
  });
  return { model: name, hook, grid, layers: found, names, views };
}

/**
 * Runs vision transformers over photographs and returns only each layer's mean, a few megabytes for 10,000 photographs.
 *
 * @param models as of `patchFeatures`, one or more
 * @param photographs paths of image files
 * @param hook as of `patchFeatures`, of all models
 * @returns photographs × Σ D_l float32, in the models' own units: AvgPool(V_l) of METHOD (2), layers side by side
 * @throws Error one sentence that names the model or photograph that is not usable
 */
export async function meanFeatures(
  models: readonly string[],
  photographs: readonly string[],
  hook: Hook = "attention",
): Promise<MeanFeatures> {
  const { joinPooled, poolFeatures } = await import("../data/features/pooled_features.ts");
  const { openKnownModel } = await import("../data/models/known_models.ts");
  const { readImage } = await import("../data/images/image.ts");
  const cacheDir = await Deno.makeTempDir(), parts = [];
  try {
    for (const name of models) {
      const { path: model, preprocessor, registers } = await openKnownModel(name);
      parts.push(
        await poolFeatures({
          model,
          preprocessor,
          registers,
          hook,
          images: photographs.map((path) => ({ name: nameOf(path), load: () => readImage(path) })),
          tokensPerImage: 0,
          seed: 0,
          cacheDir,
          identity: "",
        }),
      );
    }
  } finally {
    await Deno.remove(cacheDir, { recursive: true });
  }
  const { slots, pooled } = joinPooled(parts);
  return { slots, means: pooled };
}

function nameOf(path: string): string {
  return path.replace(/^.*\//, "");
}
