/** One JSON object a line: what the harness and a participant's process say to each other. */
import type { KernelTime } from "../../src/gpu/timing.ts";

/** What a participant is asked. */
export type Request =
  | { do: "open"; work: string; as: string; files: Record<string, string>; options: WorkOptions }
  | { do: "run"; warm?: boolean }
  | { do: "save"; path: string }
  | { do: "profile" }
  | { do: "close" };

/** Sizes that differ from a work's own. */
export type WorkOptions = Record<string, number | string>;

/** What it answers; an error or an absence ends the conversation. */
export interface Answer {
  /** Why it cannot take part: "no module named torch". */
  absent?: string;
  /** What went wrong. */
  error?: string;
  /** open: program and version. */
  version?: string;
  /** open: the adapter or device it computes on. */
  device?: string;
  /** run: seconds of wall time, the device's work done. */
  seconds?: number;
  /** run and save: figures of the work, as kl or residual. */
  figures?: Record<string, number>;
  /** profile: kernels, longest first. */
  kernels?: KernelTime[];
  /** run: most MB that the process had resident. */
  peakMb?: number;
  /** run: most MB of GPU buffers, where it counts them. */
  gpuMb?: number;
}

/** Marks the lines that are meant for the harness: packages print what they like. */
export const MARK = "@bench ";

/** Answers what is asked, line by line, until the end. */
export async function answerRequests(answer: (request: Request) => Promise<Answer>): Promise<void> {
  for await (const line of eachLine(Deno.stdin.readable)) {
    const request: Request = JSON.parse(line);
    const reply = await answer(request).catch((error): Answer => ({ error: (error as Error).message }));
    Deno.stdout.writeSync(new TextEncoder().encode(`${MARK}${JSON.stringify(reply)}\n`));
    if (request.do === "close") break;
  }
}

/**
 * The lines of a stream of text, as they come.
 *
 * @param stream UTF-8
 */
export async function* eachLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest) yield rest;
}
