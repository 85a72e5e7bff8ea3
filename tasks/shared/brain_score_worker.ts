/** A thread with a device and data of its own that computes what brain-score measures, and leaves it in the cache. */
import { closeGpu } from "../../mod.ts";
import type { PlannedData } from "../../src/data/datasets/open_data.ts";
import { evaluationImages } from "../../src/pipeline/evaluation.ts";
import { skippedLines } from "../../src/data/files/skipped.ts";
import { computeBrainScore } from "../brain_score.ts";
import { type Asked, openRunData } from "./open_data.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import type { RunSettings } from "./run_settings.ts";
import { openTaskRun } from "./task_run.ts";

/** What the thread is to do. */
export interface BrainScoreRequest {
  asked: Asked;
  settings: RunSettings;
  /** As of `openData`. */
  planned?: PlannedData;
  seeds: number;
}

/** What it says at the end: seconds by stage and what was left out, or why there is nothing. */
export type BrainScoreAnswer = { timings: Record<string, number>; lines: string[] } | { error: string };

/** This thread, as far as it is needed: the types at hand are those of the main one. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<BrainScoreRequest>) => void;
  postMessage(answer: BrainScoreAnswer): void;
};

// Progress is shown by the thread that waits for this one.
console.error = () => {};
Object.defineProperty(Deno.stderr, "isTerminal", { value: () => false });

thread.onmessage = async ({ data: { asked, settings, planned, seeds } }) => {
  try {
    const run = await openTaskRun("brain-score", settings, []);
    const data = await openRunData(asked, { ...settings, planned, timings: {} });
    const gpu = await openTaskGpu(settings.adapter, settings.cache);
    try {
      const looked = evaluationImages(data.images.length, settings.evaluated, settings.seed);
      const images = looked.map((image) => data.images[image]);
      await computeBrainScore({ ...run, gpu, data, pipeline: { images } }, seeds);
    } finally {
      closeGpu(gpu);
      data.close();
    }
    thread.postMessage({ timings: run.timings, lines: skippedLines() });
  } catch (error) {
    thread.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
