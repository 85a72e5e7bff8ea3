/** What all experiments write: their entry in results.json, and their page. */
import { join } from "node:path";
import { holdPages } from "../../data/files/atomic_write.ts";
import type { Gpu } from "../../gpu/mod.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { table } from "../../report/blocks.ts";
import type { FigureFormat } from "../../report/figure_files.ts";
import type { Page } from "../../report/page.ts";
import {
  type Claim,
  type ExperimentResults,
  mergeResults,
  type Results,
  type ResultsRun,
} from "../../report/results.ts";
import { writePage } from "../../report/write_page.ts";
import alarms from "./false_alarms.json" with { type: "json" };
import { peakResidentMb } from "./peak_memory.ts";
import { runDataLine } from "./run_data.ts";

/** The run that an experiment belongs to. */
export interface RunContext {
  /** Folder of the page; made where there is none. */
  out: string;
  /** As typed. */
  command: string;
  /** Absent where nothing is computed on a device. */
  gpu?: Pick<Gpu, "adapter" | "memory">;
  /** Seconds by stage. */
  timings: Record<string, number>;
  seed: number;
  /** Formats in which the page's figures are also written as files; none if not given. */
  figures?: readonly FigureFormat[];
}

/** The run of an experiment on the pipeline. */
export interface ExperimentRun extends RunContext {
  gpu: Pick<Gpu, "adapter" | "memory">;
  pipeline: Pipeline;
}

/** What results.json says of a run, in the form of a page's settings. */
export interface Recorded {
  /** Adapter, versions and seed. */
  settings: Page["settings"];
  /** "412 MB resident, 230 MB of GPU buffers". */
  peakMemory: string;
}

/**
 * Writes an experiment's numbers and claims under its name in results.json, with the run that they are of. Who calls it holds
 * the folder (`holdPages`) until its page is written, too.
 *
 * @param name of the task
 * @param inputs of this experiment
 * @throws RangeError naming a number that is not finite
 */
export async function recordExperiment(
  { out, command, gpu, timings, seed }: RunContext,
  name: string,
  inputs: ResultsRun["inputs"],
  results: ExperimentResults,
): Promise<Recorded> {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)));
  const { description, software } = gpu?.adapter ?? { description: "none used", software: false };
  const memory: Results["memory"] = {
    peak_rss_mb: peakResidentMb(),
    peak_gpu_mb: Math.round((gpu?.memory.peak ?? 0) / 2 ** 20),
  };
  await mergeResults(join(out, "results.json"), {
    version,
    deno: Deno.version.deno,
    seed,
    command,
    timings,
    adapter: { description, software },
    inputs,
    memory,
    experiments: { [name]: { ...results, claims: results.claims.map((claim) => withAlarms(name, claim)) } },
  });
  return {
    settings: {
      adapter: `${description}${software ? " (software)" : ""}`,
      deno: Deno.version.deno,
      version,
      seed,
    },
    peakMemory: `${memory.peak_rss_mb} MB resident, ${memory.peak_gpu_mb} MB of GPU buffers`,
  };
}

/** How long the stages took, as a section of a page. */
export function timeSection(timings: Record<string, number>): Page["sections"][number] {
  const caption = "Wall time by stage, seconds", columns = ["stage", "seconds"];
  return { heading: "Time", body: table({ caption, columns, rows: Object.entries(timings), digits: 1 }) };
}

const ALARMS: Record<string, Record<string, number[]>> = alarms.alarms;

/** A claim with its rate of false alarms, where that was measured (`./run false-alarms`). */
function withAlarms(experiment: string, claim: Claim): Claim {
  const seeds = ALARMS[experiment]?.[claim.id], { simulations: worlds } = alarms;
  return seeds ? { ...claim, false_alarm: { rate: seeds.length / worlds, worlds } } : claim;
}

/**
 * Writes `<name>.html`, and its numbers and claims under that name in results.json; its figures as files if the run asks
 * for them.
 *
 * @param inputs of this experiment
 * @param settings beside adapter, versions and seed; or a function of the run's peak memory that returns them
 * @returns the path of the page
 */
export async function writeReport(
  run: RunContext,
  name: string,
  inputs: ResultsRun["inputs"],
  results: ExperimentResults,
  { settings, ...page }: Omit<Page, "command" | "claims" | "settings"> & {
    settings: Page["settings"] | ((peakMemory: string) => Page["settings"]);
  },
): Promise<string> {
  await using _held = await holdPages(run.out);
  const recorded = await recordExperiment(run, name, inputs, results);
  const own = typeof settings === "function" ? settings(recorded.peakMemory) : settings;
  return await writePage(join(run.out, `${name}.html`), {
    data: await runDataLine(inputs.data, inputs.models),
    ...page,
    claims: results.claims.map((claim) => withAlarms(name, claim)),
    settings: { ...recorded.settings, ...own },
    command: run.command,
  }, run.figures);
}

/**
 * Writes the page and the numbers of an experiment on the pipeline.
 *
 * @param settings beside adapter, versions, seed, nodes, hook and patches
 * @returns the path of the page
 */
export async function writeExperiment(
  run: ExperimentRun,
  name: string,
  results: ExperimentResults,
  { settings, ...page }: Omit<Page, "command" | "claims">,
): Promise<string> {
  const { models, images, total, data, manifests, grid } = run.pipeline;
  const inputs = { models, ...total, data };
  return await writeReport(run, name, inputs, results, {
    ...page,
    settings: {
      nodes: total.nodes,
      ...(images.length < total.images &&
        { "images looked at": `${images.length} of ${total.images}, spread over all (--evaluation-images)` }),
      hook: manifests[0].hook,
      patches: `${grid.cols} × ${grid.rows}`,
      ...settings,
    },
  });
}
