/** Features of every layer of a vision transformer, through onnxruntime. */
import { createHash } from "node:crypto";
import { basename, dirname, isAbsolute } from "node:path";
import * as ort from "onnxruntime-node";
import { reasonOf, writeFileAtomic } from "./atomic_write.ts";
import { createFeatures, type FeatureType, type FeatureWriter } from "./feature_store.ts";
import type { RgbImage } from "./image.ts";
import { findAttentionOutputs, patchSize } from "./attention_outputs.ts";
import { type OnnxGraph, readOnnx, withOutputs } from "./onnx_graph.ts";
import { preprocess, type Preprocessor } from "./preprocess.ts";

/** What `extractFeatures` is to do. */
export interface ExtractOptions {
  /** Path of an ONNX file. */
  model: string;
  preprocessor: Preprocessor;
  images: { name: string; load(): Promise<RgbImage> }[];
  /** Folder for the feature files and the manifest. */
  outDir: string;
  dtype: FeatureType;
  /** Register tokens between the class token and the patches; found from the patch size when not given. */
  registers?: number;
  /** Images a run of the model; default 8. */
  batch?: number;
  onProgress?: (images: number) => void;
}

const FLOAT16_MAX = 65504;

/** What was found and written. */
export interface FeatureManifest {
  /** The model file's name without its ending. */
  model: string;
  modelSha256: string;
  layers: { layer: number; path: string; tensor: string }[];
  heads: number;
  width: number;
  /** Tokens kept of every image: the class token and the patches. */
  tokens: number;
  registers: number;
  grid: { rows: number; cols: number };
  images: string[];
  dtype: FeatureType;
  /** The preprocessing and the registers asked for, as JSON. */
  preprocessing: string;
}

/**
 * Runs a vision transformer over images and stores, for every layer, the attention block's output after its projection,
 * before the residual add (METHOD, `V_l`): class token and patches, register tokens dropped.
 *
 * Whatever a finished manifest in `outDir` already covers is not computed again.
 *
 * @returns layers, heads, width, tokens, and the files, one a layer
 * @throws Error one sentence that names the model, or the image, layer and token, that is not usable
 */
export async function extractFeatures(options: ExtractOptions): Promise<FeatureManifest> {
  const { model: path, preprocessor, images, outDir, dtype, batch = 8, onProgress } = options;
  if (!images.length) throw new Error("There are no images to extract features of: give at least one.");
  const graph = await readOnnx(path);
  const outputs = findAttentionOutputs(graph);
  const model = basename(path).replace(/\.onnx$/, "");
  const modelSha256 = createHash("sha256").update(graph.bytes).digest("hex");
  const names = images.map(({ name }) => name);
  const preprocessing = JSON.stringify([preprocessor, options.registers ?? null]);
  const manifestPath = `${outDir}/manifest.json`;
  const finished = await readManifest(manifestPath);
  if (
    finished && finished.modelSha256 === modelSha256 && finished.dtype === dtype &&
    JSON.stringify(finished.images) === JSON.stringify(names) &&
    finished.preprocessing === preprocessing
  ) {
    return finished;
  }

  await Deno.mkdir(outDir, { recursive: true });
  const wanted = outputs.flatMap(({ tensor, weights }) => weights ? [tensor, weights] : [tensor]);
  const session = await openSession(graph, withOutputs(graph, wanted));
  const [input] = session.inputNames;
  const [fixed] = inputShape(session);
  const most = typeof fixed === "number" && fixed > 0 ? fixed : batch;
  const tensors = outputs.map(({ tensor }) => tensor);
  const writers: FeatureWriter[] = [];
  let manifest: FeatureManifest | null = null;
  try {
    for (let first = 0; first < images.length; first += most) {
      const some = images.slice(first, first + most);
      const pixels = await Promise.all(
        some.map(async (image) => preprocess(await image.load(), preprocessor)),
      );
      const { width, height } = pixels[0];
      const odd = pixels.findIndex((p) => p.width !== width || p.height !== height);
      if (odd > 0) {
        throw new Error(
          `${some[odd].name} is ${pixels[odd].width} × ${
            pixels[odd].height
          } after preprocessing, others ${width} × ${height}: crop to one size.`,
        );
      }
      const data = new Float32Array(some.length * 3 * width * height);
      pixels.forEach((p, i) => data.set(p.data, i * 3 * width * height));
      const feeds = { [input]: new ort.Tensor("float32", data, [some.length, 3, height, width]) };
      // The attention weights are large and only tell the number of heads: asked for once.
      const probe: string[] = manifest === null
        ? outputs.flatMap(({ weights }) => weights ?? []).slice(0, 1)
        : [];
      const results = await run(session, feeds, [...tensors, ...probe], path);
      if (manifest === null) {
        manifest = describe(results[tensors[0]].dims, some.length, { width, height });
        const heads: number = outputs[0].heads ?? headsOf(results[probe[0]]?.dims ?? [], some.length);
        manifest = { ...manifest, heads };
        for (const { layer, path: file } of manifest.layers) {
          writers.push(await createFeatures(file, layer, manifest.width, dtype, noted(manifest)));
        }
      }
      for (const [l, tensor] of tensors.entries()) {
        await writers[l].write(rowsOf(results[tensor], manifest, first, l + 1));
      }
      onProgress?.(first + some.length);
    }
    for (const writer of writers) await writer.finish();
  } catch (error) {
    for (const writer of writers) await writer.abandon();
    throw error;
  } finally {
    await session.release();
  }
  await writeFileAtomic(manifestPath, JSON.stringify(manifest, null, 2));
  return manifest!;

  function describe(
    dims: readonly number[],
    count: number,
    image: { width: number; height: number },
  ): FeatureManifest {
    const [tokens, width] = dims.slice(-2);
    if (dims.length !== 3 || dims[0] !== count) {
      throw new Error(
        `${path}: an attention output has shape [${dims}], expected [${count}, tokens, channels].`,
      );
    }
    const { grid, registers } = tokenLayout(tokens, image);
    return {
      ...{
        model,
        modelSha256,
        heads: 0,
        width,
        tokens: tokens - registers,
        registers,
        grid,
        images: names,
        dtype,
        preprocessing,
      },
      layers: tensors.map((tensor, l) => ({
        layer: l + 1,
        path: `${outDir}/${model}.L${String(l + 1).padStart(2, "0")}.arrow`,
        tensor,
      })),
    };
  }

  function tokenLayout(
    tokens: number,
    image: { width: number; height: number },
  ): { grid: { rows: number; cols: number }; registers: number } {
    const patch = patchSize(graph);
    const side = Math.sqrt(tokens - 1 - (options.registers ?? 0));
    const grid = patch
      ? { rows: Math.floor(image.height / patch[0]), cols: Math.floor(image.width / patch[1]) }
      : { rows: side, cols: side };
    const registers = options.registers ?? tokens - 1 - grid.rows * grid.cols;
    if (!Number.isInteger(grid.rows) || registers < 0 || 1 + registers + grid.rows * grid.cols !== tokens) {
      throw new Error(
        `${path}: ${tokens} tokens are not a class token, registers and a grid of patches (${grid.rows} × ${grid.cols}): say how many registers there are.`,
      );
    }
    return { grid, registers };
  }
}

function noted(manifest: FeatureManifest): Record<string, string> {
  const { model, modelSha256, heads, tokens, registers, grid, images } = manifest;
  return {
    ...{ model, modelSha256, heads: String(heads), tokens: String(tokens), registers: String(registers) },
    ...{ grid: `${grid.rows} ${grid.cols}`, images: JSON.stringify(images) },
  };
}

/** Heads, from the shape of the attention weights: batch × heads × tokens × tokens, or the first two in one. */
function headsOf(dims: readonly number[], batch: number): number {
  return dims.length === 4 ? dims[1] : dims.length === 3 ? dims[0] / batch : 0;
}

/** One layer's rows of a batch, registers dropped. */
function rowsOf(output: ort.Tensor, manifest: FeatureManifest, firstImage: number, layer: number) {
  const { tokens, registers, width } = manifest;
  const values = output.type === "float16"
    ? Float32Array.from(asHalf(output.data))
    : output.data as Float32Array;
  const count = values.length / width / (tokens + registers);
  const image = new Int32Array(count * tokens), token = new Int16Array(count * tokens);
  const vectors = new Float32Array(count * tokens * width);
  for (let i = 0, row = 0; i < count; i++) {
    for (let t = 0; t < tokens; t++, row++) {
      const from = (i * (tokens + registers) + (t === 0 ? 0 : t + registers)) * width;
      const vector = values.subarray(from, from + width);
      let largest = 0;
      for (const value of vector) {
        if (!Number.isFinite(value)) largest = NaN;
        else if (Math.abs(value) > largest) largest = Math.abs(value);
      }
      const tooLarge = manifest.dtype === "float16" && largest > FLOAT16_MAX;
      if (!(largest > 0) || tooLarge) {
        const what = Number.isNaN(largest)
          ? "holds NaN or infinite values"
          : tooLarge
          ? `holds ${largest}, too large for float16`
          : "is a zero vector";
        throw new Error(
          `${manifest.model}: the feature of ${
            manifest.images[firstImage + i]
          }, layer ${layer}, token ${t} ${what}: check the model's weights and preprocessing.`,
        );
      }
      vectors.set(vector, row * width);
      image[row] = firstImage + i;
      token[row] = t;
    }
  }
  return { image, token, vectors };
}

/** Float16 values, however the runtime hands them over. */
function asHalf(data: ort.Tensor["data"]): Float16Array {
  return data instanceof Uint16Array
    ? new Float16Array(data.buffer, data.byteOffset, data.length)
    : data as unknown as Float16Array;
}

/** The first input's dimensions as the model states them; names where they vary. */
function inputShape(session: ort.InferenceSession): readonly (number | string)[] {
  const [first] = session.inputMetadata;
  return first?.isTensor ? first.shape : [];
}

async function openSession(graph: OnnxGraph, bytes: Uint8Array): Promise<ort.InferenceSession> {
  const { path } = graph;
  const externalData = [];
  for (const file of new Set(graph.external.map(({ location }) => location))) {
    if (file.split(/[\\/]/).includes("..") || isAbsolute(file)) {
      throw new Error(`${path} asks for weights outside its folder ("${file}"): do not trust this file.`);
    }
    try {
      externalData.push({ path: file, data: await Deno.readFile(`${dirname(path)}/${file}`) });
    } catch (error) {
      throw new Error(
        `${path} keeps its weights in ${file}, which cannot be read (${
          reasonOf(error)
        }): put it beside the model.`,
      );
    }
  }
  try {
    return await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: navigator.hardwareConcurrency,
      logSeverityLevel: 3,
      ...(externalData.length ? { externalData } : {}),
    });
  } catch (error) {
    throw new Error(`onnxruntime cannot load ${path}: ${reasonOf(error).replace(/\s+/g, " ")}.`);
  }
}

async function run(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  wanted: string[],
  path: string,
) {
  try {
    return await session.run(feeds, wanted);
  } catch (error) {
    throw new Error(`onnxruntime cannot run ${path}: ${reasonOf(error).replace(/\s+/g, " ")}.`);
  }
}

async function readManifest(path: string): Promise<FeatureManifest | null> {
  try {
    const manifest: FeatureManifest = JSON.parse(await Deno.readTextFile(path));
    for (const layer of manifest.layers) await Deno.stat(layer.path);
    return manifest;
  } catch {
    return null; // absent, or its files are: extracted again
  }
}
