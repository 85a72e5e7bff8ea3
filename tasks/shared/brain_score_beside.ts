/** brain-score on a thread of its own, which needs the pipeline's alignment, but not its graph. */
import { alignFile, conditionOptions } from "../../src/pipeline/align_cache.ts";
import type { BrainData } from "../../src/pipeline/brain_data.ts";
import { isThere } from "../../src/data/files/plain_file.ts";
import { skippedLines, tell } from "../../src/data/files/skipped.ts";
import type { Gpu } from "../../mod.ts";
import type { BrainScoreAnswer, BrainScoreRequest } from "./brain_score_worker.ts";

/** A computation under way. */
export interface BrainScoreBeside {
  /**
   * Waits until the cache holds what brain-score measures, or until the thread has failed: then whoever needs it computes it
   * again, and says what is wrong.
   *
   * @param timings seconds by stage, added to
   */
  ended(timings: Record<string, number>): Promise<void>;
  /** Ends the thread; what it has finished is kept. */
  close(): void;
}

/**
 * Begins where trainings are missing and the adapter is software: between many small kernels one thread leaves the processors
 * idle, two with a device each fill them.
 *
 * @param brain what alignments are trained on
 * @param cacheDir folder of alignments
 * @returns null where there is nothing to gain
 */
export async function startBrainScore(
  gpu: Gpu,
  brain: BrainData,
  cacheDir: string,
  request: BrainScoreRequest,
): Promise<BrainScoreBeside | null> {
  if (!gpu.adapter.software || !await isAnyMissing(brain, cacheDir, request.seeds)) return null;
  const worker = new Worker(new URL("./brain_score_worker.ts", import.meta.url), { type: "module" });
  const answered = new Promise<BrainScoreAnswer>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<BrainScoreAnswer>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      resolve({ error: event.message });
    };
  });
  answered.then(() => worker.terminate()); // its memory is free at once
  worker.postMessage(request);
  return {
    async ended(timings) {
      const answer = await answered;
      if ("error" in answer) return;
      Object.assign(timings, answer.timings);
      const known = new Set(skippedLines());
      for (const line of answer.lines) if (!known.has(line) && !line.startsWith("skipped: ")) tell(line);
    },
    close: () => worker.terminate(),
  };
}

async function isAnyMissing(brain: BrainData, cacheDir: string, seeds: number): Promise<boolean> {
  for (const options of conditionOptions(seeds)) {
    if (!await isThere((await alignFile(cacheDir, brain, options)).path)) return true;
  }
  return false;
}
