/** Features of vision transformers for scripts. */
import { assertKnown } from "../linalg/check_options.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { Hook } from "../data/onnx/head_roles.ts";
import { nameOf, type Photograph, type Picture, readPhotograph } from "./photographs.ts";

export type { Hook };

/** What is read from models, and what they run on. */
export interface FeatureOptions {
  /** What is read from each block: attention, residual, mlp, q, k or v; default "attention". */
  hook?: Hook;
  /**
   * Runs with the image shifted, along each side: 2 gives four times the patches, in four times the time (shift-and-stitch,
   * Long et al. 2015); default 1.
   */
  shifts?: number;
  /** What models run on: "webgpu" is onnxruntime's own, "auto" takes it where there is a hardware adapter; default "cpu". */
  extract?: "cpu" | "webgpu" | "auto";
  /** Stops the run after a batch of photographs; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

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
    /** photographs × width: the class token; absent where the model has none. */
    classToken?: Matrix;
  }[];
  /** File names of the photographs. */
  names: string[];
  /** What the model's patches cover of each. */
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
 * @param model path of an ONNX file with its NAME.preprocessor.json beside it, or the name of a built-in one (clip_tiny, dino_tiny, mae_tiny) or of one that `./run models add` has added
 * @param photographs paths of image files, or photographs that load themselves
 * @param layers numbers of the layers wanted, from 1; default all
 * @param options hook, shifts and what the model runs on; a hook's name alone is taken as the hook
 * @returns per layer photographs · patches × D_l float32, in the model's own units, and beside them the class token, which
 *   with shifts is its mean over the shifted images; register tokens are left out
 * @throws Error one sentence that names the model or photograph that is not usable
 * @throws RangeError "mae_tiny has layers 1 to 12, not 13."; "shifts is 9: give a whole number from 1 to 8."; 'extract is "gpu": …'
 *
 * Memory: photographs × patches × width × layers float32 values.
 */
export async function patchFeatures(
  model: string,
  photographs: readonly Photograph[],
  layers?: readonly number[],
  options: FeatureOptions | Hook = {},
): Promise<PatchFeatures> {
  if (layers?.length === 0) {
    throw new RangeError("layers names none: give numbers from 1, or leave it out for all.");
  }
  const taken = await takenOf("patchFeatures", options), { hook } = taken;
  const { streamFeatures } = await import("../data/features/stream_features.ts");
  const { previewCrop } = await import("../data/images/preprocess.ts");
  const { patchSize } = await import("../data/onnx/patch_order.ts");
  const { readOnnx } = await import("../data/onnx/graph.ts");
  const { wholePatches } = await import("../data/images/whole_patches.ts");
  const names = photographs.map(nameOf), views: Picture[] = [];
  const { path, preprocessor, registers } = await openSaid(model);
  const [height, width] = patchSize(await readOnnx(path)) ?? [1, 1];
  const found: PatchFeatures["layers"] = [], indexOf = new Map<number, number>();
  let patches = 0;
  const { model: name, grid } = await streamFeatures({
    model: path,
    preprocessor,
    registers,
    ...taken,
    outDir: ".",
    dtype: "float32",
    images: photographs.map((photograph, i) => ({
      name: names[i],
      async load() {
        const image = await readPhotograph(photograph);
        views[i] = wholePatches(previewCrop(image, preprocessor, names[i]), { width, height });
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
        const matrix = (rows: number) => ({ data: new Float32Array(rows * cols), rows, cols });
        found.push({
          layer,
          patches: matrix(rows),
          ...(manifest.classToken && { classToken: matrix(photographs.length) }),
        });
      }
    },
    rows(l, { image, token, vectors }) {
      const index = indexOf.get(l);
      if (index === undefined) return;
      const { patches: { data, cols }, classToken } = found[index];
      for (let i = 0; i < image.length; i++) {
        const vector = vectors.subarray(i * cols, (i + 1) * cols);
        if (token[i] > 0) data.set(vector, (image[i] * patches + token[i] - 1) * cols);
        else classToken?.data.set(vector, image[i] * cols);
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
 * @param options as of `patchFeatures`, for all models
 * @returns photographs × Σ D_l float32, in the models' own units: AvgPool(V_l) of METHOD (2), layers side by side
 * @throws Error one sentence that names the model or photograph that is not usable
 */
export async function meanFeatures(
  models: readonly string[],
  photographs: readonly Photograph[],
  options: FeatureOptions | Hook = {},
): Promise<MeanFeatures> {
  if (models.length === 0) throw new RangeError("There are no models to run: give at least one.");
  const taken = await takenOf("meanFeatures", options);
  const { joinPooled, poolFeatures } = await import("../data/features/pooled_features.ts");
  const cacheDir = await Deno.makeTempDir(), parts = [];
  try {
    for (const name of models) {
      const { path: model, preprocessor, registers } = await openSaid(name);
      parts.push(
        await poolFeatures({
          model,
          preprocessor,
          registers,
          ...taken,
          images: photographs.map((photograph) => ({
            name: nameOf(photograph),
            load: () => readPhotograph(photograph),
          })),
          tokensPerImage: 0,
          seed: 0,
          cacheDir,
          imagesKey: "",
        }),
      );
    }
  } finally {
    await Deno.remove(cacheDir, { recursive: true });
  }
  const { slots, pooled } = joinPooled(parts);
  return { slots, means: pooled };
}

/** Opens a model, and says on the console what its preprocessing makes of pixels, where that is odd. */
async function openSaid(model: string) {
  const { openKnownModel } = await import("../data/models/known_models.ts");
  const { otherUnit } = await import("../data/images/preprocessor.ts");
  const known = await openKnownModel(model), line = otherUnit(known.preprocessor, model);
  if (line) console.error(line);
  return known;
}

/** Checks options, and finds what models run on, which is said where it is another than was asked for. */
async function takenOf(call: string, options: FeatureOptions | Hook) {
  const given: FeatureOptions = typeof options === "string" ? { hook: options } : options;
  assertKnown(call, given, { hook: true, shifts: true, extract: true, signal: true });
  const { hook = "attention", shifts = 1, extract = "cpu", signal } = given;
  const { MAX_SHIFTS } = await import("../data/images/shift_and_stitch.ts");
  const { chooseProvider, EXTRACT_CHOICES } = await import("../data/onnx/inference_provider.ts");
  const { HOOKS } = await import("../data/onnx/block_hooks.ts");
  if (!HOOKS.includes(hook)) {
    throw new RangeError(`hook is "${hook}": give ${HOOKS.slice(0, -1).join(", ")} or ${HOOKS.at(-1)}.`);
  }
  if (!(Number.isInteger(shifts) && shifts >= 1 && shifts <= MAX_SHIFTS)) {
    throw new RangeError(`shifts is ${shifts}: give a whole number from 1 to ${MAX_SHIFTS}.`);
  }
  if (!EXTRACT_CHOICES.includes(extract)) {
    throw new RangeError(`extract is "${extract}": give cpu, webgpu or auto.`);
  }
  const { provider, line } = await chooseProvider(extract);
  if (line) console.error(line);
  return { hook, shifts, provider, signal };
}
