/** `./run align`: trains one channel align and saves it. */
import { closeGpu } from "../mod.ts";
import { writeFileAtomic } from "../src/data/atomic_write.ts";
import { DATA_HELP, takeDataFlags } from "../src/data/data_flags.ts";
import { alignOf } from "../src/experiments/align_conditions.ts";
import { CACHE_FOLDER } from "../src/experiments/embedded_world.ts";
import { openRunData } from "./open_data.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import { adapterOf, readFlags, realNumber, refuseWithoutEffect, runTask, wholeNumber } from "./read_flags.ts";
import { runStage } from "./stage.ts";
import { openFolders } from "./task_folders.ts";

const HELP = `./run align [options]
${DATA_HELP}
  --lambda N        weight of the eigen-constraint (default: 1)
  --seed N          seed of every random choice (default: 0)
  --out FILE        where the align goes, as one Arrow file (default: reports/out/align.arrow)
  --cache DIR       where finished stages are kept (default: .cache)
  --adapter KIND    hardware or software (default: hardware if there is one)
  --help            this text`;

await runTask(async () => {
  const { rest, ...asked } = takeDataFlags(Deno.args);
  const flags = readFlags(rest, ["data", "images", "model", "lambda", "seed", "out", "cache", "adapter"]);
  if (!flags) return console.log(HELP);
  const seed = wholeNumber(flags, "seed", 0) ?? 0, lambdaEigen = realNumber(flags, "lambda", 0) ?? 1;
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
    const { path, history } = await runStage(
      timings,
      "train",
      (tick) =>
        alignOf(
          gpu,
          brain,
          { lambdaEigen, seed },
          cacheDir,
          ({ epoch, validation }, epochs) => tick(epoch, epochs, `validation loss ${validation.toFixed(4)}`),
        ),
    );
    await Deno.mkdir(out.replace(/[^/]*$/, "") || ".", { recursive: true });
    await writeFileAtomic(out, await Deno.readFile(path));
    const best = history.reduce((a, b) => b.validation < a.validation ? b : a);
    console.error(
      `${brain.slots.length} slots, ${brain.training.responses.cols} voxels, ${history.length} epochs, best validation loss ${
        best.validation.toFixed(4)
      } in epoch ${best.epoch}: ${out}`,
    );
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
