/** `deno task rosetta`: channels matched one to one across models, beside aligned channels, with a report. */
import { rosetta } from "../src/experiments/rosetta.ts";
import { writeRosettaReport } from "../src/experiments/rosetta_report.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Matches channels across models, measures them and writes the report. @returns the path of the page */
export async function runRosetta(open: OpenPipeline): Promise<string> {
  const { gpu, pipeline, seed, timings } = open;
  const found = await runStage(
    timings,
    "rosetta",
    (tick) => open.kept("rosetta", {}, () => rosetta(gpu, pipeline, seed, tick)),
  );
  return await writeRosettaReport(open, found);
}

const HELP = `deno task rosetta [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("rosetta", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runRosetta(open)}`);
    } finally {
      open.close();
    }
  });
}
