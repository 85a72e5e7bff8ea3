/** `deno task colors`: AlignedCut colors of every model, layer and image, with a report. */
import { alignedColors } from "../src/experiments/aligned_colors.ts";
import { writeAlignedColorsReport } from "../src/experiments/aligned_colors_report.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Measures what the colors follow and writes the report. @returns the path of the page */
export async function runColors(
  { gpu, pipeline, out, figures, seed, timings, command, kept }: OpenPipeline,
): Promise<string> {
  const found = await runStage(
    timings,
    "colors",
    () => kept("colors", {}, () => Promise.resolve(alignedColors(pipeline, seed))),
  );
  return await writeAlignedColorsReport({ out, figures, command, gpu, pipeline, found, timings, seed });
}

const HELP = `deno task colors [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("colors", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runColors(open)}`);
    } finally {
      open.close();
    }
  });
}
