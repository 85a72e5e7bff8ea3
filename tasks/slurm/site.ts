/** What a cluster wants to be told: by flags, or once for all in a JSON file. */
import { type Flags, wholeNumber } from "../../src/cli/read_flags.ts";
import { STEPS } from "./steps.ts";
import { minutesOf } from "./minutes.ts";

/** Options that take a value, for `readFlags`. */
export const SLURM_FLAGS = ["site", "partition", "gres", "time", "account", "array-size", "run"];
/** Switches. */
export const SLURM_SWITCHES = ["slurm", "resume", "dry-run"];
/** Their help. */
export const SLURM_HELP = `
  --slurm           submit the stages as job arrays instead of running them here
  --partition P, --account A, --time T, --gres G
                    as of sbatch; --gres for all stages but extract, which uses none
  --array-size N    tasks of an array at most; the cluster is asked what it allows (default: 24)
  --site FILE       the same and more as JSON: partition, account, time, gres, arraySize, attempts, restarts,
                    setup (lines of shell before every task), options (further ones of sbatch, by stage or "all")
  --run DIR         the run's folder: plan, logs, what each task took (default: of its own, under --cache)
  --resume          submit again only what is missing; \`./run status\` tells what is
  --dry-run         print the scripts, submit nothing`;

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
 * Reads the site's file, if one is given, and puts flags above it.
 *
 * @throws Error one sentence that names the file or flag that cannot be used
 */
export async function readSite(flags: Flags): Promise<Site> {
  const own = typeof flags.site === "string" ? await readSiteFile(flags.site) : {};
  const typed: Record<string, unknown> = {};
  for (const name of ["partition", "account", "time", "gres"] as const) {
    if (flags[name] === undefined) continue;
    const { is, holds } = SETTINGS[name];
    if (!holds(flags[name])) throw new RangeError(`--${name} is "${flags[name]}": give ${is}.`);
    typed[name] = flags[name];
  }
  const arraySize = wholeNumber(flags, "array-size", 1, 100_000);
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
