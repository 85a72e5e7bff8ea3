/** `./run colors`: AlignedCut colors of every model, layer and image, with a report. */
import { loadAlign } from "../src/data/fits/align_file.ts";
import { nodeTable } from "../src/data/formats/results_table.ts";
import { saveSpace } from "../src/data/fits/space_file.ts";
import { TABLE_FORMATS, writeTables } from "../src/data/formats/table_file.ts";
import { alignedColors } from "../src/experiments/colors/compute.ts";
import { writeAlignedColorsReport } from "../src/experiments/colors/report.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";
import { listOf, type OptionValues, text } from "../src/cli/option_kinds.ts";

/** Options of this task beside the pipeline's. */
const OWN = {
  "save-space": text({
    value: "FILE",
    help:
      "write the space, with the graph's landmarks and the map, as one Arrow file with which scripts give the same " +
      "colors to models added later",
    shown: "none",
  }),
  tables: listOf(TABLE_FORMATS, {
    help:
      "write image, model, layer, position, eigenvectors and color of every node of the evaluated images " +
      "(--evaluation-images) to DIR/tables/nodes.arrow, .csv or both, where DIR is that of --out: arrow, csv or arrow,csv",
  }),
};
/** The task and its options. */
export const COMMAND = experiment("colors", OWN);

/** Measures what the colors follow, writes the report, and tables where they are asked for. @returns the path of the page */
export async function runColors(
  open: OpenPipeline,
  options: Partial<OptionValues<typeof OWN>> = {},
): Promise<string> {
  const { pipeline, out, seed } = open;
  const found = await open.computed("colors", () => alignedColors(pipeline, seed));
  const { slots, grid, eigenvectors, colors, total } = pipeline,
    images = pipeline.images.map(({ name }) => name);
  const nodes = { images, slots, grid, hasClassToken: true, eigenvectors, colors };
  const tables = await writeTables(out, "nodes", options.tables ?? [], () => nodeTable(nodes));
  if (tables.length > 0) {
    console.error(`tables of ${images.length} of ${total.images} images: ${tables.join(", ")}`);
  }
  const path = options["save-space"];
  if (path && !await writeSpace(path, open)) {
    throw new RangeError(
      "--save-space keeps a space that further models can join, and --alignment paper makes none: leave one of them out.",
    );
  }
  return await writeAlignedColorsReport({ ...open, found });
}

/**
 * Writes the alignment's space, the graph's landmarks, the map and where the voxels lie: what colors further models' tokens
 * alike.
 *
 * @returns whether there is a space: the paper's way of aligning makes none
 */
export async function writeSpace(
  path: string,
  { pipeline, alignPath, sheet: { places, surface } }: Pick<OpenPipeline, "pipeline" | "alignPath" | "sheet">,
): Promise<boolean> {
  const { fit, sampleVectors: vectors, points3, manifests } = pipeline;
  const { model, space } = await loadAlign(alignPath);
  if (!space) return false;
  const sources = manifests.map(({ model, modelSha256, hook, shifts, preprocessing }) => ({
    model,
    modelSha256,
    hook,
    shifts,
    preprocessing,
  }));
  const sheet = {
    rois: places.map(({ roi }) => roi),
    leftVoxels: places.filter(({ hemisphere }) => hemisphere === "lh").length,
    places: { data: Float32Array.from(places.flatMap(({ x, y }) => [x, y])), rows: places.length, cols: 2 },
    ...(surface && { vertices: { data: Float32Array.from(surface.vertices), rows: places.length, cols: 1 } }),
  };
  await saveSpace(path, {
    space: { model, ...space },
    fit,
    map: { vectors, points: points3 },
    sources,
    sheet,
  });
  console.error(`space: ${path}`);
  return true;
}

if (import.meta.main) await runExperiment(COMMAND, runColors);
