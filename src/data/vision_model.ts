/** A vision model in onnxruntime: pixels in, tensors out as float32. */
import { dirname, isAbsolute, join } from "node:path";
import * as ort from "onnxruntime-node";
import { reasonOf } from "./atomic_write.ts";
import { assertRecorded } from "./model_record.ts";
import type { OnnxGraph } from "./onnx_graph.ts";
import type { ModelInput } from "./preprocess.ts";

/** What a run gave for one tensor. */
export interface ModelOutput {
  dims: readonly number[];
  data: Float32Array;
}

/** A loaded model. */
export interface VisionModel {
  /** Images in every run; null when the model takes any number. */
  fixedBatch: number | null;
  /**
   * Runs the model. A fixed batch is filled up with the last image.
   *
   * @param images equally large
   * @param wanted names of outputs
   * @throws Error one sentence that names the model
   */
  run(images: ModelInput[], wanted: string[]): Promise<Record<string, ModelOutput>>;
  release(): Promise<void>;
}

/** A file of weights beside a model. */
export interface WeightFile {
  /** As the model names it. */
  path: string;
  data: Uint8Array;
}

/**
 * Reads the weights that a model keeps in files beside it.
 *
 * @returns none when the model file holds them all
 * @throws Error "a.onnx keeps its weights in a.data, which cannot be read (…): put it beside the model."
 * @throws Error 'a.onnx asks for weights outside its folder ("../a.data"): do not trust this model.'
 */
export async function readWeights({ path, external }: OnnxGraph): Promise<WeightFile[]> {
  const files: WeightFile[] = [];
  for (const file of new Set(external.map(({ location }) => location))) {
    if (isAbsolute(file) || file.split(/[\\/]/).includes("..")) {
      throw new Error(`${path} asks for weights outside its folder ("${file}"): do not trust this model.`);
    }
    try {
      files.push({ path: file, data: await Deno.readFile(join(dirname(path), file)) });
    } catch (error) {
      const reason = reasonOf(error);
      throw new Error(
        `${path} keeps its weights in ${file}, which cannot be read (${reason}): put it beside the model.`,
        { cause: error },
      );
    }
  }
  return files;
}

/**
 * Loads a model.
 *
 * @param graph the file that was read
 * @param bytes the model, perhaps with more outputs
 * @param weights what `readWeights` read
 * @throws Error "a.onnx is not what was added from org/name (SHA-256 ab…, recorded cd…): …"
 * @throws Error "a.onnx takes input_ids, attention_mask: …"; "onnxruntime cannot load a.onnx: …"
 */
export async function openModel(
  { path, bytes: original }: OnnxGraph,
  bytes: Uint8Array,
  weights: WeightFile[],
): Promise<VisionModel> {
  await assertRecorded(path, original, weights);
  const session = await createSession(path, bytes, weights);
  const { name, type, shape } = imageInput(session, path);
  const [fixed, , height, width] = shape;
  const fixedBatch = typeof fixed === "number" && fixed > 0 ? fixed : null;
  return {
    fixedBatch,
    async run(images, wanted) {
      const [first] = images;
      if (isOther(width, first.width) || isOther(height, first.height)) {
        throw new Error(
          `${path} takes images of ${width} × ${height} pixels, its preprocessing gives ${first.width} × ${first.height}: ` +
            "correct its preprocessor file.",
        );
      }
      const count = fixedBatch ?? images.length;
      const data = new Float32Array(count * first.data.length);
      for (let i = 0; i < count; i++) {
        data.set(images[Math.min(i, images.length - 1)].data, i * first.data.length);
      }
      const dims = [count, 3, first.height, first.width];
      const pixels = type === "float16" ? halfTensor(data, dims) : new ort.Tensor("float32", data, dims);
      let results: ort.InferenceSession.ReturnType;
      try {
        results = await session.run({ [name]: pixels }, wanted);
      } catch (error) {
        throw new Error(`onnxruntime cannot run ${path}: ${oneLine(error)}.`, { cause: error });
      }
      const outputs: Record<string, ModelOutput> = {};
      for (const tensor of wanted) {
        outputs[tensor] = { dims: results[tensor].dims, data: asFloat32(results[tensor], tensor, path) };
      }
      return outputs;
    },
    release: () => session.release(),
  };
}

/**
 * A tensor of float16 whose bytes onnxruntime's addon gets: it turns Uint16Array into Float16Array, which the addon takes for
 * empty.
 */
function halfTensor(values: Float32Array, dims: number[]): ort.Tensor {
  const bits = new Uint16Array(Float16Array.from(values).buffer);
  const tensor = new ort.Tensor("float16", bits, dims);
  return Object.defineProperty(tensor, "data", { value: bits });
}

async function createSession(
  path: string,
  bytes: Uint8Array,
  externalData: WeightFile[],
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: navigator.hardwareConcurrency,
      logSeverityLevel: 4,
      ...(externalData.length > 0 ? { externalData } : {}),
    });
  } catch (error) {
    throw new Error(`onnxruntime cannot load ${path}: ${oneLine(error)}.`, { cause: error });
  }
}

interface ImageInput {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

/** The only input, which has to take RGB images. */
function imageInput(session: ort.InferenceSession, path: string): ImageInput {
  const [input] = session.inputMetadata;
  const takes = session.inputMetadata.map((meta) => {
    return meta.isTensor ? `${meta.name} (${meta.type} ${meta.shape.join(" × ")})` : meta.name;
  });
  const isImage = session.inputMetadata.length === 1 && input.isTensor &&
    ["float32", "float16"].includes(input.type) && input.shape.length === 4 && !isOther(input.shape[1], 3);
  if (isImage) return input;
  throw new Error(
    `${path} takes ${takes.join(", ") || "nothing"}, expected one input of images × 3 × height × width: ` +
      "export the vision part alone.",
  );
}

/** Whether a dimension that the model states differs; a name or −1 states none. */
function isOther(stated: number | string, found: number): boolean {
  return typeof stated === "number" && stated > 0 && stated !== found;
}

function asFloat32({ type, data }: ort.Tensor, tensor: string, path: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float16Array) return Float32Array.from(data);
  if (type === "float16" && data instanceof Uint16Array) {
    return Float32Array.from(new Float16Array(data.buffer, data.byteOffset, data.length));
  }
  throw new Error(
    `${path} gives ${tensor} as ${type}, expected float32 or float16: export it in one of them.`,
  );
}

function oneLine(error: unknown): string {
  return reasonOf(error).replace(/\s+/g, " ").trim().replace(/\.$/, "");
}
