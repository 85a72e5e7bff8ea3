/**
 * `./run reproduce`: every experiment from one cached pipeline, with a report page each and an index; or, with
 * `--images` or `--model`, one model's colors of photographs.
 */
import { helpOf, parseOptions, refuseWithoutEffect, runTask } from "../src/cli/options.ts";
import { wholeNumber } from "../src/cli/option_kinds.ts";
import { foldersOf } from "../src/cli/data_options.ts";
import { masks, PIPELINE_OPTIONS } from "./shared/options.ts";
import { runPhotographs } from "./shared/photographs.ts";
import { reproduceAll } from "./reproduce_all.ts";
import { SLURM_OPTIONS } from "./slurm/site.ts";
import { submitRun } from "./slurm/submit.ts";

/** Options of photographs through one model. */
const PHOTOGRAPH_OPTIONS = {
  masks,
  registers: wholeNumber({
    help: "register tokens of the model",
    shown: "found from the size of its patches",
    from: 0,
    to: 64,
  }),
};

/** The task and its options. */
export const COMMAND = {
  task: "reproduce",
  about:
    "Every experiment, on the synthetic dataset with its models and simulated subject, or on your own data and models:",
  options: { ...PIPELINE_OPTIONS, ...PHOTOGRAPH_OPTIONS, ...SLURM_OPTIONS },
  sections: [
    {
      heading:
        "With --images or one --model but no --data: the colors that one model gives photographs, each layer by itself " +
        "(exact, unless --landmarks, --neighbors, --sampling or --preset is given)",
      options: PHOTOGRAPH_OPTIONS,
    },
    {
      heading:
        "On a Slurm cluster, from a folder that all nodes see (--dry-run prints the scripts, and submits nothing):",
      options: SLURM_OPTIONS,
    },
  ],
};
/**
 * Does what a command line asks for.
 *
 * @param args as `Deno.args`
 * @throws Error one sentence that names the option, file or folder that cannot be used
 */
export async function reproduce(args: string[]): Promise<void> {
  const parsed = parseOptions(COMMAND.options, args);
  if (!parsed) return console.log(helpOf(COMMAND));
  const { options, given } = parsed, folders = foldersOf(options), models = options.model;
  const photographs = Object.keys(PHOTOGRAPH_OPTIONS);
  const isLayerByLayer = photographs.some((name) => given.has(name)) || models.length === 1 ||
    folders.images !== undefined && models.length === 0;
  const others = Object.keys(folders).filter((kind) => kind !== "images");
  if (!options.slurm) {
    refuseWithoutEffect(given, Object.keys(SLURM_OPTIONS), "options of a run on a cluster go with --slurm");
    if (isLayerByLayer && others.length === 0 && models.length <= 1) {
      return await runPhotographs(parsed, args);
    }
  }
  refuseWithoutEffect(
    given,
    photographs,
    "they are for photographs through one --model, without --data and without --slurm",
  );
  if (options.slurm) {
    refuseWithoutEffect(
      given,
      ["check-error"],
      "a run on a cluster does not compare with exact eigenvectors",
    );
    return await submitRun(parsed, args);
  }
  await reproduceAll(parsed, args, {}, { skipsUnchanged: true });
}

if (import.meta.main) await runTask(() => reproduce(Deno.args));
