/** `./run transitions`: where figure and ground go between two layers, with a report. */
import { type TransitionOptions, transitions } from "../src/experiments/transitions/compute.ts";
import { writeTransitionsReport } from "../src/experiments/transitions/report.ts";
import { basename } from "node:path";
import { embeddedModels } from "../src/synthetic/dataset.ts";
import { experimentTask, type OpenPipeline } from "./shared/open_pipeline.ts";
import { type Flags, wholeNumber } from "../src/cli/read_flags.ts";
import { runStage } from "./shared/stage.ts";

/** Counts transitions and writes the report. @returns the path of the page */
export async function runTransitions(
  open: OpenPipeline,
  options: Omit<TransitionOptions, "seed"> = {},
): Promise<string> {
  const { pipeline, seed, timings } = open;
  const found = await runStage(
    timings,
    "transitions",
    () =>
      open.kept(
        "transitions",
        ["src/experiments/transitions/compute.ts"],
        { ...options },
        () => transitions(pipeline, { ...options, seed }),
      ),
  );
  return await writeTransitionsReport(open, found);
}

const HELP = `
  --of NAME         the model (default: the first with clip in its name, or the first)
  --layer N         from this layer to the next (default: 3, or as deep as 3 of 12)
  --circles N       circles in either layer (default: 5)
  --radius R        radius of the circles, in units of the map (default: three of four patches of a layer
                    lie within it of their nearest centre)
`;

/** The options of this task. @throws RangeError when a number is none */
function transitionOptions(flags: Flags): Omit<TransitionOptions, "seed"> {
  const layer = wholeNumber(flags, "layer", 1, 1000);
  const radius = flags.radius === undefined ? undefined : Number(flags.radius);
  if (radius !== undefined && !(radius > 0 && radius < Infinity)) {
    throw new RangeError(`--radius is "${flags.radius}": give a number above 0.`);
  }
  const model = flags.of === undefined ? undefined : String(flags.of);
  const circles = wholeNumber(flags, "circles", 2, 20) ?? 5;
  return { model, ...(layer !== undefined && { layers: [layer, layer + 1] }), circles, radius };
}

if (import.meta.main) {
  await experimentTask("transitions", (open, flags) => runTransitions(open, transitionOptions(flags)), {
    help: HELP,
    values: ["of", "layer", "circles", "radius"],
    read(flags, { models }) {
      transitionOptions(flags);
      const names = (models.length > 0 ? models : embeddedModels()).map((model) => basename(model, ".onnx"));
      if (flags.of === undefined || names.includes(String(flags.of))) return;
      throw new RangeError(`--of is "${flags.of}": give one of the models, ${names.join(", ")}.`);
    },
  });
}
