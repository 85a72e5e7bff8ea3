/** `./run rosetta`: channels matched one to one across models, beside aligned channels, with a report. */
import { rosetta } from "../src/experiments/rosetta/compute.ts";
import { writeRosettaReport } from "../src/experiments/rosetta/report.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";

/** Matches channels across models, measures them and writes the report. @returns the path of the page */
export async function runRosetta(open: OpenPipeline): Promise<string> {
  const { gpu, pipeline, seed } = open;
  const found = await open.computed("rosetta", (tick) => rosetta(gpu, pipeline, seed, tick));
  return await writeRosettaReport(open, found);
}

/** The task and its options. */
export const COMMAND = experiment("rosetta");

if (import.meta.main) await runExperiment(COMMAND, runRosetta);
