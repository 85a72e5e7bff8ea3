/** `deno task colors`: AlignedCut colors of every model, layer and image, with a report. */
import { alignedColors } from "../src/experiments/aligned_colors.ts";
import { writeAlignedColorsReport } from "../src/experiments/aligned_colors_report.ts";
import { experimentTask, type OpenPipeline } from "./open_pipeline.ts";
import { runStage } from "./stage.ts";

/** Measures what the colors follow and writes the report. @returns the path of the page */
export async function runColors(
  { gpu, pipeline, out, figures, seed, timings, command, kept }: OpenPipeline,
): Promise<string> {
  const found = await runStage(
    timings,
    "colors",
    () => kept("colors", {}, () => alignedColors(pipeline, seed)),
  );
  return await writeAlignedColorsReport({ out, figures, command, gpu, pipeline, found, timings, seed });
}

if (import.meta.main) await experimentTask("colors", runColors);
