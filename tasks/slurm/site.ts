/** Settings of a cluster: by options, or once for all in a JSON file. */
import { type OptionValues, text, toggle, wholeNumber } from "../../src/cli/option_kinds.ts";
import { STEPS } from "./steps.ts";
import { minutesOf } from "./minutes.ts";

/** Options of a run on a cluster. */
export const SLURM_OPTIONS = {
  slurm: toggle({ help: "submit the stages as job arrays instead of running them here" }),
  partition: text({ value: "P", help: "partition, as of sbatch", shown: "the cluster's" }),
  account: text({ value: "A", help: "account, as of sbatch", shown: "yours" }),
  time: text({ value: "T", help: "time limit, as of sbatch", shown: "the partition's" }),
  gres: text({
    value: "G",
    help: "generic resources as of sbatch, for all stages but extract, which uses none",
    shown: "none",
  }),
  "array-size": wholeNumber({
    help: "tasks of an array at most; the cluster is asked what it allows",
    shown: "24",
    from: 1,
    to: 100_000,
  }),
  "slurm-config": text({
    value: "FILE",
    help:
      "the same and more as JSON: partition, account, time, gres, arraySize, attempts, restarts, setup (lines of " +
      'shell before every task), options (further ones of sbatch, by stage or "all")',
    shown: "none",
    formerly: "site",
  }),
  run: text({
    value: "DIR",
    help: "the run's folder: plan, logs, what each task took",
    shown: "a folder of its own under --cache",
  }),
  resume: toggle({ help: "submit only what is missing; `./run status` says what is" }),
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

/** What a setting must be, in words, and whether it is; words of a `#SBATCH` line end at a blank. */
const WORD = { is: "a text without blanks", holds: (value: unknown) => /^\S+$/.test(textOf(value)) };
const TIME = {
  is: "minutes, hours:minutes:seconds or days-hours:minutes:seconds, as of sbatch",
  holds: (value: unknown) => minutesOf(textOf(value)) !== null,
};
const count = (least: number) => ({
  is: `a whole number from ${least} on`,
  holds: (value: unknown) => Number.isSafeInteger(value) && Number(value) >= least,
});
const SETTINGS: Record<keyof Site, { is: string; holds: (value: unknown) => boolean }> = {
  partition: WORD,
  account: WORD,
  time: TIME,
  gres: WORD,
  arraySize: count(1),
  attempts: count(1),
  restarts: count(0),
  setup: { is: "a list of lines of shell", holds: (value) => isLines(value, /^[^\n]*$/) },
  options: {
    is: `lists of options as "--mem=8G", by ${[...STEPS, "all"].join(", ")}`,
    holds: (value) =>
      isObject(value) &&
      Object.entries(value).every(([step, own]) =>
        [...STEPS, "all"].includes(step) && isLines(own, /^-[^\n]+$/)
      ),
  },
};

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLines(value: unknown, line: RegExp): boolean {
  return Array.isArray(value) && value.every((own) => typeof own === "string" && line.test(own));
}

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
    const { is, holds } = SETTINGS[name];
    if (!holds(options[name])) throw new RangeError(`--${name} is "${options[name]}": give ${is}.`);
    typed[name] = options[name];
  }
  return { ...DEFAULTS, ...own, ...typed, ...(arraySize && { arraySize }) };
}

async function readSiteFile(path: string): Promise<Partial<Site>> {
  let site: unknown;
  try {
    site = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is none" : (error as Error).message;
    throw new Error(`Cannot read the site settings ${path}: ${why}.`, { cause: error });
  }
  const names = Object.keys(SETTINGS).join(", ");
  if (!isObject(site)) throw new Error(`${path} is no object: expected settings of ${names}.`);
  for (const [name, value] of Object.entries(site)) {
    const setting = SETTINGS[name as keyof Site];
    if (!setting) throw new Error(`${path} sets "${name}", expected one of ${names}.`);
    if (!setting.holds(value)) {
      throw new Error(`${path}: "${name}" is ${JSON.stringify(value)}, expected ${setting.is}.`);
    }
  }
  return site as Partial<Site>;
}
