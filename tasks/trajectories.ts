/** `./run trajectories`: the layer at which figure and ground diverge, with a report. */
import { trajectories } from "../src/experiments/trajectories/compute.ts";
import { writeTrajectoriesReport } from "../src/experiments/trajectories/report.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";

/** Follows figure and ground through the layers and writes the report. @returns the path of the page */
export async function runTrajectories(open: OpenPipeline): Promise<string> {
  const { pipeline, seed } = open;
  const found = await open.computed("trajectories", () => trajectories(pipeline, seed));
  return await writeTrajectoriesReport(open, found);
}

/** The task and its options. */
export const COMMAND = experiment("trajectories");

if (import.meta.main) await runExperiment(COMMAND, runTrajectories);
