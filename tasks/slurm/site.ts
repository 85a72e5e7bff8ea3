/** Settings of a cluster: by options, or once for all in a JSON file. */
import * as v from "valibot";
import { type OptionValues, text, toggle, wholeNumber } from "../../src/cli/option_kinds.ts";
import { reasonOf } from "../../src/data/files/atomic_write.ts";
import { listOf, parseJson, plain, wholeNumber as wholeFrom } from "../../src/data/files/checked_json.ts";
import { readPlainText } from "../../src/data/files/plain_file.ts";
import { STEPS } from "./steps.ts";
import { minutesOf } from "./minutes.ts";

/** Options of a run on a cluster. */
export const SLURM_OPTIONS = {
  slurm: toggle({ help: "submit the stages as job arrays instead of running them here" }),
  partition: text({ value: "P", help: "partition, as in sbatch", shown: "the cluster's" }),
  account: text({ value: "A", help: "account, as in sbatch", shown: "yours" }),
  time: text({ value: "T", help: "time limit, as in sbatch", shown: "the partition's" }),
  gres: text({
    value: "G",
    help: "generic resources, as in sbatch, for all stages except extract, which uses none",
    shown: "none",
  }),
  "array-size": wholeNumber({
    help: "maximum number of tasks in an array; the cluster is asked for its own limit",
    shown: "24",
    from: 1,
    to: 100_000,
  }),
  "slurm-config": text({
    value: "FILE",
    help:
      "the same and more as JSON: partition, account, time, gres, arraySize, attempts, restarts, setup (lines of " +
      'shell before every task), options (further sbatch options, by stage or "all")',
    shown: "none",
    formerly: "site",
  }),
  run: text({
    value: "DIR",
    help: "the run's folder: plan, logs, time and memory of each task",
    shown: "a folder of its own under --cache",
  }),
  resume: toggle({ help: "submit only what is missing; `./run status` lists it" }),
};

/** Settings of a cluster. */
export interface Site {
  partition?: string;
  account?: string;
  time?: string;
  gres?: string;
  /** Tasks of an array at most. */
  arraySize: number;
  /** How often a task is tried within one job. */
  attempts: number;
  /** How often Slurm may start a job again, after a node was lost. */
  restarts: number;
  /** Lines of shell before every task. */
  setup: string[];
  /** Further options of sbatch, by stage or for "all". */
  options: Record<string, string[]>;
}

const DEFAULTS: Site = { arraySize: 24, attempts: 3, restarts: 3, setup: [], options: {} };

/** Words of a `#SBATCH` line end at a blank. */
const WORD_IS = "a text without blanks", OPTION_IS = 'an option as "--mem=8G"';
const TIME_IS = "minutes, hours:minutes:seconds or days-hours:minutes:seconds, as of sbatch";
const WORD = v.pipe(v.string(WORD_IS), v.regex(/^\S+$/, WORD_IS));
const LINE = v.pipe(v.string("a line of shell"), v.regex(/^[^\n]*$/, "a line of shell"));
const OPTION = v.pipe(v.string(OPTION_IS), v.regex(/^-[^\n]+$/, OPTION_IS));
const OPTIONS = listOf(OPTION, 'a list of options as "--mem=8G"');
/** What each setting has to be. */
export const SETTINGS = {
  partition: WORD,
  account: WORD,
  time: v.pipe(v.string(TIME_IS), v.check((time) => minutesOf(time) !== null, TIME_IS)),
  gres: WORD,
  arraySize: wholeFrom(1),
  attempts: wholeFrom(1),
  restarts: wholeFrom(),
  setup: listOf(LINE, "a list of lines of shell"),
  options: v.partial(v.strictObject(
    Object.fromEntries([...STEPS, "all"].map((step) => [step, OPTIONS])) as Record<string, typeof OPTIONS>,
    `lists of options as "--mem=8G", by ${[...STEPS, "all"].join(", ")}`,
  )),
};
const SETTINGS_ARE = `settings of ${Object.keys(SETTINGS).join(", ")}`;
const SITE = plain(v.partial(v.strictObject(SETTINGS, SETTINGS_ARE)), SETTINGS_ARE);

/**
 * Reads the cluster's settings, if a file of them is given; options count above it.
 *
 * @throws Error one sentence that names the file or option that cannot be used
 */
export async function readSite(options: Partial<OptionValues<typeof SLURM_OPTIONS>>): Promise<Site> {
  const { "slurm-config": path, "array-size": arraySize } = options;
  const own = path === undefined ? {} : await readSiteFile(path);
  const typed: Record<string, unknown> = {};
  for (const name of ["partition", "account", "time", "gres"] as const) {
    if (options[name] === undefined) continue;
    const { issues } = v.safeParse(SETTINGS[name], options[name]);
    if (issues) throw new RangeError(`--${name} is "${options[name]}": give ${issues[0].message}.`);
    typed[name] = options[name];
  }
  return { ...DEFAULTS, ...own, ...typed, ...(arraySize && { arraySize }) };
}

async function readSiteFile(path: string): Promise<Partial<Site>> {
  try {
    return parseJson(await readPlainText(path), SITE) as Partial<Site>;
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is none" : reasonOf(error);
    throw new Error(`Cannot use the settings of --slurm-config ${path}: ${why}.`, { cause: error });
  }
}
