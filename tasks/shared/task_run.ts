/** The run of a task: where it reads and writes, its stages, and what its page says of it. */
import { commandLine } from "../../src/cli/options.ts";
import type { FigureFormat } from "../../src/report/figure_files.ts";
import { cacheDrawingsIn } from "../../src/report/drawing_cache.ts";
import { runStage, type Tick } from "./stage.ts";
import { openFolders } from "./task_folders.ts";

/** One run of a task. */
export interface TaskRun {
  /** Folder of the page. */
  out: string;
  /** Folder of finished stages. */
  cache: string;
  seed: number;
  /** Formats in which figures are also written as files. */
  figures: FigureFormat[];
  /** As typed, for the page. */
  command: string;
  /** Seconds by stage; stages that were cached take none. */
  timings: Record<string, number>;
  /** Runs a stage with a progress display, and notes its wall time. */
  stage<T>(name: string, work: (tick: Tick) => Promise<T>): Promise<T>;
}

/**
 * Begins a run in folders that can be written.
 *
 * @param task its name, for the command on the page
 * @param args as typed
 * @throws Error "Cannot write to a/b: Permission denied; choose another folder with --out."
 */
export async function openTaskRun(
  task: string,
  { out, cache, seed = 0, figures = [] }: Pick<TaskRun, "out" | "cache"> & Partial<TaskRun>,
  args: readonly string[] = Deno.args,
): Promise<TaskRun> {
  await openFolders({ "--out": out, "--cache": cache });
  const drawings = `${cache}/drawings`;
  await Deno.mkdir(drawings, { recursive: true }).catch(() => {}); // they are drawn anew, then
  cacheDrawingsIn(drawings);
  const timings: Record<string, number> = {};
  return {
    out,
    cache,
    seed,
    figures,
    command: commandLine(task, args),
    timings,
    stage: (name, work) => runStage(timings, name, work),
  };
}
