/** What a cluster wants to be told: by flags, or once for all in a JSON file. */
import { type Flags, wholeNumber } from "../read_flags.ts";

/** Options that take a value, for `readFlags`. */
export const SLURM_FLAGS = ["site", "partition", "gres", "time", "account", "array-size", "run"];
/** Switches. */
export const SLURM_SWITCHES = ["slurm", "resume", "dry-run"];
/** Their help. */
export const SLURM_HELP = `
  --slurm           submit the stages as job arrays instead of running them here
  --partition P, --account A, --time T, --gres G
                    as of sbatch; --gres for all stages but extract, which uses none
  --array-size N    tasks of an array at most (default: 24)
  --site FILE       the same and more as JSON: partition, account, time, gres, arraySize, attempts, restarts,
                    setup (lines of shell before every task), options (further ones of sbatch, by stage or "all")
  --run DIR         the run's folder: plan, logs, what each task took (default: of its own, under --cache)
  --resume          submit again only what is missing; \`deno task status\` tells what is
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
const KINDS: Record<keyof Site, string> = {
  ...{ partition: "string", account: "string", time: "string", gres: "string" },
  ...{ arraySize: "number", attempts: "number", restarts: "number", setup: "object", options: "object" },
};

/**
 * Reads the site's file, if one is given, and puts flags above it.
 *
 * @throws Error one sentence that names the file or flag that cannot be used
 */
export async function readSite(flags: Flags): Promise<Site> {
  const own = typeof flags.site === "string" ? await readSiteFile(flags.site) : {};
  const typed = Object.fromEntries(
    ["partition", "account", "time", "gres"].flatMap((name) => flags[name] ? [[name, flags[name]]] : []),
  );
  const arraySize = wholeNumber(flags, "array-size", 1, 100_000);
  return { ...DEFAULTS, ...own, ...typed, ...(arraySize && { arraySize }) };
}

async function readSiteFile(path: string): Promise<Partial<Site>> {
  let site: Record<string, unknown>;
  try {
    site = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "there is none" : (error as Error).message;
    throw new Error(`Cannot read the site settings ${path}: ${why}.`, { cause: error });
  }
  for (const [name, value] of Object.entries(site)) {
    const kind = KINDS[name as keyof Site];
    if (!kind) throw new Error(`${path} sets "${name}", expected one of ${Object.keys(KINDS).join(", ")}.`);
    if (typeof value !== kind || kind === "number" && !(Number.isInteger(value) && Number(value) >= 0)) {
      throw new Error(`${path}: "${name}" is ${JSON.stringify(value)}, expected a ${kind}.`);
    }
  }
  return site as Partial<Site>;
}
