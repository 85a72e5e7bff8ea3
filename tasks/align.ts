/** `./run align`: trains one channel align and saves it. */
import { closeGpu } from "../mod.ts";
import { writeFileAtomic } from "../src/data/files/atomic_write.ts";
import { DATA_HELP, takeDataFlags } from "../src/cli/data_flags.ts";
import { ALIGNMENTS, alignOf } from "../src/pipeline/align_cache.ts";
import { CACHE_FOLDER } from "../src/data/files/project_folder.ts";
import { openRunData } from "./shared/open_data.ts";
import { openTaskGpu } from "./shared/open_task_gpu.ts";
import {
  adapterOf,
  oneOf,
  readFlags,
  realNumber,
  refuseWithoutEffect,
  runTask,
  wholeNumber,
} from "../src/cli/read_flags.ts";
import { runStage } from "./shared/stage.ts";
import { openFolders } from "./shared/task_folders.ts";

const HELP = `./run align [options]
${DATA_HELP}
  --alignment HOW   ridge: every layer by ridge regression to the same components of the responses; or paper: trained as
                    in the paper (default: ridge)
  --lambda N        weight of the paper's eigen-constraint (default: 1)
  --seed N          seed of every random choice (default: 0)
  --out FILE        where the align goes, as one Arrow file (default: reports/out/align.arrow)
  --cache DIR       where finished stages are kept (default: .cache)
  --adapter KIND    hardware or software (default: hardware if there is one)
  --help            this text`;

await runTask(async () => {
  const { rest, ...asked } = takeDataFlags(Deno.args);
  const flags = readFlags(rest, [
    "data",
    "images",
    "model",
    "alignment",
    "lambda",
    "seed",
    "out",
    "cache",
    "adapter",
  ]);
  if (!flags) return console.log(HELP);
  const seed = wholeNumber(flags, "seed", 0) ?? 0, lambdaEigen = realNumber(flags, "lambda", 0) ?? 1;
  const alignment = oneOf(flags, "alignment", ALIGNMENTS) ?? "ridge";
  if (alignment === "ridge") {
    refuseWithoutEffect(flags, ["lambda", "seed"], "it belongs to --alignment paper");
  }
  const adapter = adapterOf(flags), { algonauts: _, ...others } = asked.folders;
  refuseWithoutEffect(
    Object.fromEntries(
      Object.keys(others).map((kind) => [kind === "images" ? kind : `data ${kind}:`, "given"]),
    ),
    ["images", "data voc:", "data imagenet-seg:"],
    "an align is trained on a subject's own photographs, --data algonauts:DIR",
  );
  const cache = String(flags.cache || CACHE_FOLDER), cacheDir = `${cache}/align`;
  const out = String(flags.out || "reports/out/align.arrow");
  await openFolders({ "--cache": cache });
  const timings: Record<string, number> = {};
  const data = await openRunData(asked, { quick: false, limit: 1, cache, timings });
  const gpu = await openTaskGpu(adapter, cache);
  try {
    const brain = await runStage(timings, "features", (tick) => data.readBrain(cacheDir, tick));
    const { path, history, space } = await runStage(
      timings,
      "train",
      (tick) =>
        alignOf(
          gpu,
          brain,
          alignment === "ridge" ? alignment : { lambdaEigen, seed },
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
          ? `${space.basis.cols} components with ${
            (100 * space.held).toFixed(1)
          } % of the responses' variance`
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
  } finally {
    closeGpu(gpu);
    data.close();
  }
});
