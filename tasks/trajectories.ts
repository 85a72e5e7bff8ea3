/** `deno task trajectories`: the layer at which figure and ground part, with a report. */
import { trajectories } from "../src/experiments/trajectories.ts";
import { writeTrajectoriesReport } from "../src/experiments/trajectories_report.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Follows figure and ground through the layers and writes the report. @returns the path of the page */
export async function runTrajectories(open: OpenPipeline): Promise<string> {
  const { pipeline, seed, timings } = open;
  const found = await runStage(
    timings,
    "trajectories",
    () => open.kept("trajectories", {}, () => trajectories(pipeline, seed)),
  );
  return await writeTrajectoriesReport(open, found);
}

const HELP = `deno task trajectories [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("trajectories", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runTrajectories(open)}`);
    } finally {
      open.close();
    }
  });
}
