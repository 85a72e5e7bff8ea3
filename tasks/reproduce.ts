/**
 * `./run reproduce`: every experiment from one cached pipeline, with a report page each and an index; or, with
 * `--images` or `--model`, one model's colors of photographs.
 */
import { PIPELINE_HELP, readPipelineFlags } from "./shared/open_pipeline.ts";
import { runPhotographs } from "./shared/photographs.ts";
import { refuseWithoutEffect, runTask } from "../src/cli/read_flags.ts";
import { reproduceAll } from "./reproduce_all.ts";
import { SLURM_FLAGS, SLURM_HELP, SLURM_SWITCHES } from "./slurm/site.ts";
import { submitRun } from "./slurm/submit.ts";

const HELP = `./run reproduce [options]

Every experiment, on the embedded scenes, models and observer or on data and models of your own:
${PIPELINE_HELP}

With --images or one --model, and without --data: that model's colors of photographs, each layer by itself

  --masks DIR       their figure-ground masks: NAME.png for NAME.jpg, white where the figure is
  --registers N     the model's register tokens (default: found from the size of its patches)

On a Slurm cluster, from a folder that all nodes see:
${SLURM_HELP}`;

/**
 * Does what a command line asks for.
 *
 * @param args as `Deno.args`
 * @throws Error one sentence that names the option, file or folder that cannot be used
 */
export async function reproduce(args: string[]): Promise<void> {
  const photographs = ["masks", "registers"];
  const read = readPipelineFlags([...photographs, ...SLURM_FLAGS], SLURM_SWITCHES, args);
  if (!read) return console.log(HELP);
  const { flags, asked: { folders, models, hook, stride, extract } } = read;
  const isLayerByLayer = photographs.some((name) => flags[name] !== undefined) || models.length === 1 ||
    folders.images !== undefined && models.length === 0;
  const others = Object.keys(folders).filter((kind) => kind !== "images");
  if (!flags.slurm) {
    refuseWithoutEffect(
      flags,
      [...SLURM_FLAGS, ...SLURM_SWITCHES],
      "options of a run on a cluster go with --slurm",
    );
    if (isLayerByLayer && others.length === 0 && models.length <= 1) {
      return await runPhotographs({
        ...flags,
        images: folders.images,
        model: models[0],
        hook,
        stride: stride ? String(stride) : undefined,
        extract,
      }, args);
    }
  }
  refuseWithoutEffect(
    flags,
    photographs,
    "they are for photographs through one --model, without --data and without --slurm",
  );
  if (flags.slurm) {
    refuseWithoutEffect(
      flags,
      ["explain", "audit"],
      "with --slurm, --dry-run tells what would be submitted",
    );
    return await submitRun(read, args);
  }
  await reproduceAll(read, args);
}

if (import.meta.main) await runTask(() => reproduce(Deno.args));
