/** What the reports of experiments on the pipeline share: their settings, and their entry in results.json. */
import { join } from "node:path";
import type { Gpu } from "../../gpu/mod.ts";
import type { FigureFormat } from "../../report/figure_files.ts";
import type { Page } from "../../report/page.ts";
import { type ExperimentResults, mergeResults } from "../../report/results.ts";
import { writePage } from "../../report/write_page.ts";
import { peakResidentMb } from "./peak_memory.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";

/** The run that an experiment belongs to. */
export interface ExperimentRun {
  /** Folder of the page. */
  out: string;
  /** As typed. */
  command: string;
  gpu: Pick<Gpu, "adapter" | "memory">;
  pipeline: Pipeline;
  /** Seconds by stage. */
  timings: Record<string, number>;
  seed: number;
  /** Formats in which the page's figures are also written as files; none if not given. */
  figures?: readonly FigureFormat[];
}

/**
 * Writes `<name>.html`, and its numbers and claims under that name in results.json; its figures as files if the run asks for them.
 *
 * @param settings beside adapter, versions, seed and nodes
 * @returns the path of the page
 */
export async function writeExperiment(
  { out, command, gpu, pipeline, timings, seed, figures }: ExperimentRun,
  name: string,
  results: ExperimentResults,
  { settings, ...page }: Omit<Page, "command">,
): Promise<string> {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)));
  const { description, software } = gpu.adapter;
  await mergeResults(join(out, "results.json"), {
    version,
    deno: Deno.version.deno,
    seed,
    command,
    timings,
    adapter: { description, software },
    inputs: {
      models: pipeline.models,
      images: pipeline.images.length,
      nodes: pipeline.eigenvectors.rows,
      data: pipeline.data,
    },
    memory: { peak_rss_mb: peakResidentMb(), peak_gpu_mb: Math.round(gpu.memory.peak / 2 ** 20) },
    experiments: { [name]: results },
  });
  return await writePage(join(out, `${name}.html`), {
    ...page,
    settings: {
      adapter: `${description}${software ? " (software)" : ""}`,
      deno: Deno.version.deno,
      version,
      seed,
      nodes: pipeline.eigenvectors.rows,
      hook: pipeline.manifests[0].hook,
      patches: `${pipeline.grid.cols} × ${pipeline.grid.rows}`,
      ...settings,
    },
    command,
  }, figures);
}
