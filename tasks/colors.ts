/** `./run colors`: AlignedCut colors of every model, layer and image, with a report. */
import { gatherRows } from "../src/align/data.ts";
import { loadAlign } from "../src/data/fits/align_file.ts";
import { chosenFormats } from "../src/report/chosen_formats.ts";
import { nodeTable } from "../src/data/formats/results_table.ts";
import { saveSpace } from "../src/data/fits/space_file.ts";
import { TABLE_FORMATS, type TableFormat, writeTables } from "../src/data/formats/table_file.ts";
import { alignedColors } from "../src/experiments/colors/compute.ts";
import { writeAlignedColorsReport } from "../src/experiments/colors/report.ts";
import type { Pipeline } from "../src/pipeline/pipeline.ts";
import { experimentTask, type OpenPipeline } from "./shared/open_pipeline.ts";
import type { Flags } from "../src/cli/read_flags.ts";
import { runStage } from "./shared/stage.ts";

/** Measures what the colors follow, writes the report, and tables where they are asked for. @returns the path of the page */
export async function runColors(
  { gpu, pipeline, alignPath, out, figures, seed, timings, command, kept }: OpenPipeline,
  flags: Flags = {},
): Promise<string> {
  const found = await runStage(
    timings,
    "colors",
    () => kept("colors", ["src/experiments/colors/compute.ts"], {}, () => alignedColors(pipeline, seed)),
  );
  const { slots, grid, eigenvectors, colors } = pipeline, images = pipeline.images.map(({ name }) => name);
  const nodes = { images, slots, grid, hasClassToken: true, eigenvectors, colors };
  const tables = await writeTables(out, "nodes", tableFormats(flags), () => nodeTable(nodes));
  if (tables.length > 0) console.error(`tables: ${tables.join(", ")}`);
  if (flags["save-space"]) await writeSpace(String(flags["save-space"]), pipeline, alignPath);
  return await writeAlignedColorsReport({ out, figures, command, gpu, pipeline, found, timings, seed });
}

/** The align's space, the graph's landmarks and the map: what colors further models' tokens alike. */
async function writeSpace(path: string, { fit, eigenvectors, sample, points3 }: Pipeline, alignPath: string) {
  const { model, space } = await loadAlign(alignPath);
  if (!space) {
    throw new RangeError(
      "--save-space keeps a space that further models can join, and --alignment paper makes none: leave one of them out.",
    );
  }
  const vectors = gatherRows(eigenvectors, sample);
  await saveSpace(path, { space: { model, ...space }, fit, map: { vectors, points: points3 } });
  console.error(`space: ${path}`);
}

const HELP = `
  --save-space FILE the space, with the graph's landmarks and the map, as one Arrow file by which scripts give models
                    that are added later the same colors (default: none)
  --tables LIST     every node's image, model, layer, place, eigenvectors and color as DIR/tables/nodes.arrow, .csv
                    or both: arrow, csv or arrow,csv (default: none)
`;

function tableFormats({ tables }: Flags): TableFormat[] {
  return chosenFormats("--tables", TABLE_FORMATS, tables as string | undefined);
}

if (import.meta.main) {
  await experimentTask("colors", runColors, {
    help: HELP,
    values: ["tables", "save-space"],
    read: tableFormats,
  });
}
