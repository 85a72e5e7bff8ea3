/** `./run transitions`: where figure and ground go between two layers, with a report. */
import { type TransitionOptions, transitions } from "../src/experiments/transitions/compute.ts";
import { writeTransitionsReport } from "../src/experiments/transitions/report.ts";
import { basename } from "node:path";
import { openKnownModel } from "../src/data/models/known_models.ts";
import { findHookOutputs } from "../src/data/onnx/block_hooks.ts";
import { readOnnx } from "../src/data/onnx/graph.ts";
import { embeddedModels } from "../src/synthetic/dataset.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";
import { type OptionValues, realNumber, text, wholeNumber } from "../src/cli/option_kinds.ts";

/** Counts transitions and writes the report. @returns the path of the page */
export async function runTransitions(
  open: OpenPipeline,
  options: Omit<TransitionOptions, "seed"> = {},
): Promise<string> {
  const { pipeline, seed } = open;
  const compute = () => transitions(pipeline, { ...options, seed });
  const found = await open.computed("transitions", compute, { inputs: { ...options } });
  return await writeTransitionsReport(open, found);
}

/** Options of this task beside the pipeline's. */
const OWN = {
  of: text({ value: "NAME", help: "the model", shown: "the first with clip in its name, or the first" }),
  layer: wholeNumber({
    help: "follow figure and ground from this layer to the next",
    shown: "3, or the layer as deep as 3 of 12",
    from: 1,
    to: 1000,
  }),
  circles: wholeNumber({ help: "circles in each layer", default: 5, from: 2, to: 20 }),
  radius: realNumber({
    value: "R",
    help: "radius of the circles, in units of the map",
    shown: "three of four patches of a layer lie within this distance of their nearest center",
    above: 0,
  }),
};
/** The task and its options. */
export const COMMAND = experiment("transitions", OWN);

function transitionOptions(
  { of, layer, circles, radius }: OptionValues<typeof OWN>,
): Omit<TransitionOptions, "seed"> {
  return { model: of, ...(layer !== undefined && { layers: [layer, layer + 1] }), circles, radius };
}

if (import.meta.main) {
  await runExperiment(
    COMMAND,
    (open, options) => runTransitions(open, transitionOptions(options)),
    async ({ options: { model, of, layer, hook } }) => {
      const paths = model.length > 0 ? model : embeddedModels();
      const names = paths.map((path) => basename(path, ".onnx"));
      const name = of ?? names.find((own) => /clip/i.test(own)) ?? names[0], at = names.indexOf(name);
      if (at < 0) throw new RangeError(`--of is "${of}": give one of the models, ${names.join(", ")}.`);
      if (layer === undefined) return;
      const { path } = await openKnownModel(paths[at]);
      const { length } = findHookOutputs(await readOnnx(path), hook);
      if (layer < length) return;
      throw new RangeError(
        `--layer is ${layer}: ${name} has ${length} layers, so give at most ${length - 1}.`,
      );
    },
  );
}
