/** `deno task align`: trains one channel align and saves it. */
import { closeGpu, openGpu } from "../mod.ts";
import { alignOf } from "../src/experiments/align_conditions.ts";
import { readBrainData } from "../src/experiments/brain_data.ts";
import { embeddedModels, embeddedWorld, SCENES, subjectOf } from "../src/experiments/embedded_world.ts";
import { readFlags, runTask, wholeNumber } from "./read_flags.ts";
import { runStage } from "./stage.ts";

const HELP = `deno task align [options]

  --subject DIR     a subject in the layout of Algonauts 2023 (default: the embedded observer)
  --lambda N        weight of the eigen-constraint (default: 1)
  --seed N          seed of every random choice (default: 0)
  --out FILE        where the align goes, as one Arrow file (default: reports/out/align.arrow)
  --cache DIR       where features and unfinished trainings are kept (default: .cache/align)
  --adapter KIND    hardware or software (default: hardware if there is one)
  --help            this text`;

const CACHE = new URL("../.cache/align", import.meta.url).pathname;

await runTask(async () => {
  const flags = readFlags(Deno.args, ["subject", "lambda", "seed", "out", "cache", "adapter"]);
  if (!flags) return console.log(HELP);
  const seed = wholeNumber(flags, "seed", 0) ?? 0, lambdaEigen = Number(flags.lambda ?? 1);
  if (!(lambdaEigen >= 0)) throw new RangeError(`--lambda is "${flags.lambda}": give a number from 0 on.`);
  const cacheDir = String(flags.cache || CACHE), out = String(flags.out || "reports/out/align.arrow");
  const embedded = !flags.subject, timings: Record<string, number> = {};
  const world = embedded
    ? await runStage(timings, "world", (tick) => embeddedWorld(SCENES, tick))
    : undefined;
  const identity = world ? world.fingerprint : String(flags.subject);
  const gpu = await openGpu({ adapter: flags.adapter as "hardware" | "software" | undefined });
  try {
    const subject = world ? subjectOf(world) : identity, models = embeddedModels();
    const data = await runStage(
      timings,
      "features",
      (onProgress) => readBrainData({ subject, models, cacheDir, identity, seed: 0, onProgress }),
    );
    const { path, history } = await runStage(
      timings,
      "train",
      (tick) =>
        alignOf(
          gpu,
          data,
          { lambdaEigen, seed },
          cacheDir,
          ({ epoch, validation }, epochs) => tick(epoch, epochs, `validation loss ${validation.toFixed(4)}`),
        ),
    );
    await Deno.mkdir(out.replace(/[^/]*$/, "") || ".", { recursive: true });
    await Deno.copyFile(path, `${out}.tmp`);
    await Deno.rename(`${out}.tmp`, out);
    const best = history.reduce((a, b) => b.validation < a.validation ? b : a);
    console.error(
      `${data.slots.length} slots, ${data.training.responses.cols} voxels, ${history.length} epochs, best validation loss ${
        best.validation.toFixed(4)
      } in epoch ${best.epoch}: ${out}`,
    );
  } finally {
    closeGpu(gpu);
  }
});
