/** onnxruntime itself: plain values in and out, for `worker.ts` to run on a thread of its own. */
import * as ort from "onnxruntime-node";
import { reasonOf } from "../files/atomic_write.ts";
import type { Feed, InferenceProvider, ModelOutput, StatedInput, WeightFile } from "./types.ts";

/** A loaded model. */
export interface OnnxSession {
  inputs: StatedInput[];
  /** The outputs' buffers belong to the caller. */
  run(feed: Feed, wanted: string[]): Promise<Record<string, ModelOutput>>;
  release(): Promise<void>;
}

/**
 * Loads a model.
 *
 * @param path for messages
 * @param provider what it runs on; what WebGPU cannot do runs on the processor
 * @throws Error "onnxruntime cannot load a.onnx: …"
 */
export async function openSession(
  path: string,
  bytes: Uint8Array,
  weights: WeightFile[],
  provider: InferenceProvider = "cpu",
): Promise<OnnxSession> {
  const session = await createSession(path, bytes, weights, provider);
  return {
    inputs: session.inputMetadata.map((meta) =>
      meta.isTensor
        ? { name: meta.name, type: meta.type, shape: [...meta.shape] }
        : { name: meta.name, type: null, shape: [] }
    ),
    async run({ name, type, pixels, dims }, wanted) {
      const tensor = type === "float16" ? halfTensor(pixels, dims) : new ort.Tensor("float32", pixels, dims);
      let results: ort.InferenceSession.ReturnType;
      try {
        results = await session.run({ [name]: tensor }, wanted);
      } catch (error) {
        throw new Error(`onnxruntime cannot run ${path}: ${reasonOf(error)}.`, { cause: error });
      }
      return Object.fromEntries(wanted.map((output) => {
        const { dims } = results[output];
        return [output, { dims: [...dims], data: asFloat32(results[output], output, path) }];
      }));
    },
    release: () => session.release(),
  };
}

/**
 * A tensor of float16 whose bytes onnxruntime's addon gets: it turns Uint16Array into Float16Array, which the addon takes for
 * empty.
 */
function halfTensor(values: Float32Array, dims: number[]): ort.Tensor {
  const bits = new Uint16Array(new Float16Array(values).buffer);
  const tensor = new ort.Tensor("float16", bits, dims);
  return Object.defineProperty(tensor, "data", { value: bits });
}

async function createSession(
  path: string,
  bytes: Uint8Array,
  externalData: WeightFile[],
  provider: InferenceProvider,
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: navigator.hardwareConcurrency,
      // Threads that wait leave their processor to those that read images and pool features meanwhile.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
      logSeverityLevel: 4,
      ...(provider === "cpu" ? {} : { executionProviders: [provider] }),
      ...(externalData.length > 0 ? { externalData } : {}),
    });
  } catch (error) {
    throw new Error(`onnxruntime cannot load ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

function asFloat32({ type, data }: ort.Tensor, tensor: string, path: string): Float32Array {
  if (data instanceof Float32Array) return data.slice(); // onnxruntime keeps its own
  if (data instanceof Float16Array) return new Float32Array(data);
  if (type === "float16" && data instanceof Uint16Array) {
    return new Float32Array(new Float16Array(data.buffer, data.byteOffset, data.length));
  }
  throw new Error(
    `${path} gives ${tensor} as ${type}, expected float32 or float16: export it in one of them.`,
  );
}
