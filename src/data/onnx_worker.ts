/** A thread that runs one model: told what to do in messages, which it answers in order. */
import { type Feed, type OnnxSession, openSession, type StatedInput } from "./onnx_session.ts";
import type { InferenceProvider } from "./inference_provider.ts";
import type { ModelOutput, WeightFile } from "./vision_model.ts";

/** What the thread is asked. */
export type Request =
  | { path: string; bytes: Uint8Array; weights: WeightFile[]; provider: InferenceProvider }
  | { feed: Feed; wanted: string[] }
  | "release";

/** What it answers. */
export interface Answer {
  /** What onnxruntime took. */
  seconds: number;
  /** Of a model that was loaded. */
  inputs?: StatedInput[];
  /** Of a run. */
  outputs?: Record<string, ModelOutput>;
  /** What went wrong, in a sentence. */
  error?: string;
}

type Found = Omit<Answer, "seconds">;

/** This thread, as far as it is needed: the types at hand are those of the main one. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<Request>) => void;
  postMessage(answer: Answer, transfer: Transferable[]): void;
};

let session: OnnxSession | undefined, last: Promise<void> = Promise.resolve();

thread.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};

async function answer(request: Request): Promise<void> {
  const started = performance.now();
  const found = await work(request).catch((error): Found => ({
    error: error instanceof Error ? error.message : String(error),
  }));
  thread.postMessage(
    { seconds: (performance.now() - started) / 1000, ...found },
    Object.values(found.outputs ?? {}).map(({ data }) => data.buffer as ArrayBuffer),
  );
}

async function work(request: Request): Promise<Found> {
  if (request === "release") {
    await session?.release();
    return {};
  }
  if ("feed" in request) return { outputs: await session!.run(request.feed, request.wanted) };
  session = await openSession(request.path, request.bytes, request.weights, request.provider);
  return { inputs: session.inputs };
}
