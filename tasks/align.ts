/** `./run align`: trains one channel alignment and saves it. */

import { writeFileAtomic } from "../src/data/files/atomic_write.ts";
import { DATA_OPTIONS } from "../src/cli/data_options.ts";
import { type Parsed, refuseWithoutEffect, runCommand } from "../src/cli/options.ts";
import { realNumber, text } from "../src/cli/option_kinds.ts";
import { alignOf } from "../src/pipeline/align_cache.ts";
import { askedOf, openRunData } from "./shared/open_data.ts";
import { openTaskGpu } from "./shared/open_task_gpu.ts";
import { adapter, alignment, cache, seed } from "./shared/options.ts";
import { runStage } from "./shared/stage.ts";
import { openFolders } from "./shared/task_folders.ts";

/** The task and its options. */
export const COMMAND = {
  task: "align",
  options: {
    ...DATA_OPTIONS,
    alignment,
    lambda: realNumber({ value: "X", help: "weight of the paper's eigen-constraint", default: 1, from: 0 }),
    seed,
    out: text({
      value: "FILE",
      help: "where the alignment is written, as one Arrow file",
      default: "reports/out/align.arrow",
    }),
    cache,
    adapter,
  },
};

async function runAlign({ options, given }: Parsed<typeof COMMAND.options>): Promise<void> {
  const { alignment = "ridge", seed, lambda: eigenWeight, out, cache, adapter } = options;
  const asked = askedOf(options), cacheDir = `${cache}/align`;
  if (alignment === "ridge") {
    refuseWithoutEffect(given, ["lambda", "seed"], "it belongs to --alignment paper");
  }
  const { algonauts: _, ...others } = asked.folders;
  refuseWithoutEffect(
    new Set(Object.keys(others).map((kind) => kind === "images" ? kind : `data ${kind}:`)),
    ["images", "data voc:", "data imagenet-seg:"],
    "an alignment is fitted to a subject's own photographs, --data algonauts:DIR",
  );
  await openFolders({ "--cache": cache });
  const timings: Record<string, number> = {};
  using data = await openRunData(asked, { quick: false, limit: 1, cache, timings });
  using gpu = await openTaskGpu(adapter, cache);
  const brain = await runStage(timings, "features", (tick) => data.readBrain(cacheDir, tick));
  const { path, history, space } = await runStage(
    timings,
    "train",
    (tick) =>
      alignOf(
        gpu,
        brain,
        alignment === "ridge" ? alignment : { eigenWeight, seed },
        cacheDir,
        tick,
      ),
  );
  await Deno.mkdir(out.replace(/[^/]*$/, "") || ".", { recursive: true });
  await writeFileAtomic(out, await Deno.readFile(path));
  const best = history.toSorted((a, b) => a.validation - b.validation).at(0);
  console.error(
    `${brain.slots.length} slots, ${brain.training.responses.cols} voxels, ${
      space
        ? `${space.basis.cols} components with ${(100 * space.held).toFixed(1)} % of the responses' variance`
        : `${history.length} epochs, best validation loss ${best!.validation.toFixed(4)} in epoch ${
          best!.epoch
        }`
    }: ${out}`,
  );
  const empty = space?.fits.flatMap(({ explained }, slot) => explained > 0 ? [] : [brain.slots[slot].name]);
  if (empty?.length) {
    console.error(`these predict nothing of images they were not fitted on: ${empty.join(", ")}`);
  }
  const unsolved = history.flatMap((epoch) => epoch.unsolved ?? []);
  if (unsolved.length > 0) {
    const slots = [...new Set(unsolved.map(({ slot }) => brain.slots[slot].name))];
    console.error(
      `left out: ${unsolved.length} steps of the eigen-constraint, whose gradient could not be solved for (${
        slots.join(", ")
      })`,
    );
  }
}

if (import.meta.main) await runCommand(COMMAND, runAlign);
