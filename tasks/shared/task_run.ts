/** The run of a task: where it reads and writes, its stages, and what its page says of it. */
import type { RunContext } from "../../src/experiments/shared/write_experiment.ts";
import { commandLine } from "../../src/cli/options.ts";
import { openStages, type Stages } from "../../src/data/cache/stages.ts";
import { writeIndexPage } from "../../src/experiments/shared/index_page.ts";
import type { FigureFormat } from "../../src/report/figure_files.ts";
import { cacheDrawingsIn } from "../../src/report/drawing_cache.ts";
import { formatSeconds } from "../../src/report/progress.ts";
import { earlierFiles } from "./earlier_files.ts";
import { runStage, type Tick } from "./stage.ts";
import { openFolders } from "./task_folders.ts";

export interface TaskRun extends Omit<RunContext, "gpu"> {
  /** Folder of finished stages. */
  cache: string;
  /** Formats in which figures are also written as files. */
  figures: FigureFormat[];
  /** Finished stages; with `--dry-run` they only explain. */
  stages: Stages;
  /** Runs a stage with a progress display, and notes its wall time. */
  stage<T>(name: string, work: (tick: Tick) => Promise<T>): Promise<T>;
  /** Seconds since it began. */
  seconds(): number;
  /** Lists pages in the index, and says where they are, and which files of an earlier run are still beside them. @returns the path of the index */
  finish(pages: Record<string, string>, leftOut?: Record<string, string>): Promise<string>;
}

/** What a run is opened with. */
export type RunOptions = Pick<TaskRun, "out" | "cache"> & Partial<Pick<TaskRun, "seed" | "figures">> & {
  "dry-run"?: boolean;
  verify?: boolean;
};

/**
 * Begins a run in folders that can be written; a dry run looks at none.
 *
 * @param task its name, for the command on the page
 * @param args as typed
 * @throws Error "Cannot write to a/b: Permission denied; choose another folder with --out."
 */
export async function openTaskRun(
  task: string,
  { out, cache, seed = 0, figures = [], "dry-run": explains = false, verify = false }: RunOptions,
  args: readonly string[] = Deno.args,
): Promise<TaskRun> {
  const started = performance.now(), began = Date.now();
  const timings: Record<string, number> = {}, command = commandLine(task, args);
  if (!explains) {
    await openFolders({ "--out": out, "--cache": cache });
    const drawings = `${cache}/drawings`;
    await Deno.mkdir(drawings, { recursive: true }).catch(() => {}); // they are drawn anew, then
    cacheDrawingsIn(drawings);
  }
  const seconds = () => (performance.now() - started) / 1000;
  return {
    out,
    cache,
    seed,
    figures,
    command,
    timings,
    stages: openStages(`${cache}/runs`, explains, verify),
    stage: (name, work) => runStage(timings, name, work),
    seconds,
    async finish(pages, leftOut) {
      const index = await writeIndexPage(out, pages, command, leftOut),
        [page, ...others] = Object.values(pages);
      const earlier = await earlierFiles(out, Object.keys(pages), began);
      if (earlier) console.error(earlier);
      const where = page === undefined || others.length > 0
        ? index
        : `${page}, beside the others in ${index}`;
      console.error(`done in ${formatSeconds(seconds())}: ${where}`);
      return index;
    },
  };
}

/** Says what stages report, and forgets it: what would run where they explain, else what was damaged. */
export function sayStages({ reports, explains }: Stages): void {
  for (const { name, state, why } of reports.splice(0)) {
    if (explains) console.log(`${name}: ${state} (${why})`);
    else if (/ is (?:missing|damaged)/.test(why)) console.error(`${name} was computed again: ${why}`);
  }
}
