/** A thread that runs one model: it takes orders in messages, which it answers in order. */
import { type OnnxSession, openSession } from "./session.ts";
import type { Answer, Request } from "./types.ts";

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
