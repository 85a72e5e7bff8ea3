/** A vision model in onnxruntime, on a thread of its own: pixels in, tensors out as float32. */
import { dirname, isAbsolute, join } from "node:path";
import { reasonOf } from "../files/atomic_write.ts";
import { assertRecorded } from "./model_record.ts";
import { type OnnxGraph, readOnnx } from "../onnx/graph.ts";
import { readPlainFile } from "../files/plain_file.ts";
import type { ModelInput } from "../images/preprocess.ts";
import type {
  Answer,
  Feed,
  InferenceProvider,
  ModelOutput,
  Request,
  StatedInput,
  WeightFile,
} from "../onnx/types.ts";

/** A loaded model. */
export interface VisionModel {
  /** Images in every run; null when the model takes any number. */
  fixedBatch: number | null;
  /**
   * Runs the model, after the runs asked for before. A fixed batch is filled up with the last image.
   *
   * @param images equally large
   * @param wanted names of outputs
   * @throws Error one sentence that names the model
   */
  run(images: ModelInput[], wanted: string[]): Promise<Record<string, ModelOutput>>;
  [Symbol.asyncDispose](): Promise<void>;
  /** Seconds that onnxruntime has taken so far, loading included. */
  seconds(): number;
}

/** 16 GB. */
const MAX_WEIGHTS = 2 ** 34;

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
      files.push({ path: file, data: await readPlainFile(join(dirname(path), file), MAX_WEIGHTS) });
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

/** All bytes that a model consists of, for keys of caches: of its file, then of the weights beside it. */
export async function readModelBytes(path: string): Promise<Uint8Array[]> {
  const graph = await readOnnx(path);
  return [graph.bytes, ...(await readWeights(graph)).map(({ data }) => data)];
}

/**
 * Loads a model.
 *
 * @param graph the file that was read
 * @param bytes the model, perhaps with more outputs
 * @param weights what `readWeights` read
 * @param provider what it runs on
 * @throws Error "a.onnx is not what was added from org/name (SHA-256 ab…, recorded cd…): …"
 * @throws Error "a.onnx takes input_ids, attention_mask: …"; "onnxruntime cannot load a.onnx: …"
 */
export async function openModel(
  { path, bytes: original }: OnnxGraph,
  bytes: Uint8Array,
  weights: WeightFile[],
  provider: InferenceProvider = "cpu",
): Promise<VisionModel> {
  await assertRecorded(path, original, weights);
  const thread = startThread(path);
  let seconds = 0;
  const ask = async (request: Request, transfer?: Transferable[]) => {
    const answer = await thread.ask(request, transfer);
    seconds += answer.seconds;
    return answer;
  };
  let input: ReturnType<typeof imageInput>;
  try {
    input = imageInput((await ask({ path, bytes, weights, provider })).inputs!, path);
  } catch (error) {
    thread.end();
    throw error;
  }
  const { name, type, shape } = input, [fixed, , height, width] = shape;
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
      const pixels = new Float32Array(count * first.data.length);
      for (let i = 0; i < count; i++) {
        pixels.set(images[Math.min(i, images.length - 1)].data, i * first.data.length);
      }
      const feed: Feed = { name, type, pixels, dims: [count, 3, first.height, first.width] };
      return (await ask({ feed, wanted }, [pixels.buffer])).outputs!;
    },
    async [Symbol.asyncDispose]() {
      await ask("release").finally(() => thread.end());
    },
    seconds: () => seconds,
  };
}

/**
 * Runs a model of two numbers, x, once on −1 and 2, and gives its output y: whether a provider starts and computes.
 *
 * @throws Error with onnxruntime's words where it does not
 */
export async function runOnce(bytes: Uint8Array, provider: InferenceProvider): Promise<ModelOutput> {
  const thread = startThread("the trial model");
  try {
    await thread.ask({ path: "the trial model", bytes, weights: [], provider });
    const feed: Feed = { name: "x", type: "float32", pixels: Float32Array.of(-1, 2), dims: [2] };
    const { y } = (await thread.ask({ feed, wanted: ["y"] })).outputs!;
    await thread.ask("release");
    return y;
  } finally {
    thread.end();
  }
}

/** A thread that answers requests in order. */
interface Thread {
  ask(request: Request, transfer?: Transferable[]): Promise<Answer>;
  end(): void;
}

function startThread(path: string): Thread {
  const worker = new Worker(new URL("../onnx/worker.ts", import.meta.url), { type: "module" });
  const waiting: { resolve(answer: Answer): void; reject(error: Error): void }[] = [];
  let failure: Error | undefined;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    const { resolve, reject } = waiting.shift()!;
    if (data.error === undefined) resolve(data);
    else reject(new Error(data.error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    failure = new Error(`The thread that runs ${path} has ended: ${reasonOf(event.message)}.`);
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  return {
    ask(request, transfer = []) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        worker.postMessage(request, transfer);
      });
    },
    end: () => worker.terminate(),
  };
}

/**
 * The only input, which has to take RGB images.
 *
 * @param path for messages
 * @throws Error "a.onnx takes x (uint8 1 × 3 × 224 × 224), expected one input of images × 3 × height × width in float32 or float16: …"
 */
export function imageInput(
  inputs: StatedInput[],
  path: string,
): Omit<Feed, "pixels" | "dims"> & { shape: StatedInput["shape"] } {
  const [{ name, type, shape }] = inputs.length === 1 ? inputs : [{ name: "", type: null, shape: [] }];
  const takes = inputs.map(({ name, type, shape }) => type ? `${name} (${type} ${shape.join(" × ")})` : name);
  const refused = (why: string) =>
    new Error(
      `${path} takes ${
        takes.join(", ") || "nothing"
      }, expected one input of images × 3 × height × width${why}.`,
    );
  if (type === null || shape.length !== 4) throw refused(": export the vision part alone");
  if (shape[3] === 3 && shape[1] !== 3) throw refused(": export it with channels before rows, not last");
  if (isOther(shape[1], 3)) throw refused(": export the vision part alone");
  if (type !== "float32" && type !== "float16") {
    throw refused(" in float32 or float16: export it without the steps of its preprocessor file");
  }
  return { name, type, shape };
}

/** Whether a dimension that the model states differs; a name or −1 states none. */
function isOther(stated: number | string, found: number): boolean {
  return typeof stated === "number" && stated > 0 && stated !== found;
}
