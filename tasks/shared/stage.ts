/** Stages of a task: a progress display and the wall time of each. */
import { collectGarbage } from "./collect_garbage.ts";
import { openProgress, PERCENT } from "../../src/report/progress.ts";

/** Reports to a stage's display how far it is; `note` says what is being worked on. */
export type Tick = (done: number, total: number, note?: string) => void;

/**
 * Runs a stage with a progress display, and notes its wall time.
 *
 * @param timings seconds by name, added to
 */
export async function runStage<T>(
  timings: Record<string, number>,
  name: string,
  work: (tick: Tick) => Promise<T>,
): Promise<T> {
  const started = performance.now(), progress = openProgress(name, 100, PERCENT);
  try {
    const result = await work((done, total, note) => progress.tick(100 * done / total, note));
    progress.tick(100);
    return result;
  } finally {
    progress.finish();
    timings[name] = (performance.now() - started) / 1000;
    collectGarbage();
  }
}
