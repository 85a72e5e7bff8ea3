/** Command-line options of the tasks: what is wrong with one is said at once, with what to type instead. */

import { shellLine } from "../report/shell_line.ts";

/** Options by name, as typed. */
export type Flags = Record<string, string | boolean | undefined>;

/**
 * Reads options, `--name value` or `--name=value`. An option that is given twice counts as given last, which is reported.
 *
 * @param args as `Deno.args`
 * @param values names of options that take a value; one may begin with "-" but not with "--"
 * @param switches names of options that do not; `help` is always one
 * @returns null when help is asked for
 * @throws RangeError "There is no option --lambdas: did you mean --lambda? (--help lists them all.)", or when an option
 * has no value, a switch has one, or a word belongs to no option
 */
export function readFlags(args: string[], values: string[], switches: string[] = []): Flags | null {
  if (args.some((arg) => arg === "--help" || arg === "-h")) return null;
  const flags: Flags = {}, twice = new Set<string>();
  for (let at = 0; at < args.length; at++) {
    const [, name, joined] = /^--([^=]+)(?:=(.*))?$/s.exec(args[at]) ?? [];
    if (name !== undefined && switches.includes(name)) {
      if (joined !== undefined) {
        throw new RangeError(`--${name} takes no value: write it alone, or leave it out.`);
      }
      flags[name] = true;
      continue;
    }
    if (name === undefined || !values.includes(name)) {
      throw new RangeError(unknownArgument(args[at], [...values, ...switches, "help"]));
    }
    const next = args[at + 1], isNextValue = next !== undefined && !next.startsWith("--");
    const value = joined ?? (isNextValue ? args[++at] : "");
    if (value === "") throw new RangeError(`--${name} is given without a value: write --${name}=VALUE.`);
    if (flags[name] !== undefined && flags[name] !== value) twice.add(name);
    flags[name] = value;
  }
  for (const name of twice) {
    console.error(`--${name} is given more than once: ${flags[name]}, the last, counts.`);
  }
  return flags;
}

/** What is wrong with an argument that no option is called, in one sentence. */
function unknownArgument(arg: string, names: readonly string[]): string {
  const name = arg.replace(/^-+/, "").split("=")[0];
  const isOption = arg.startsWith("-");
  const meant = nearestName(name, names);
  const option = isOption ? undefined : optionForPath(arg, names);
  if (option) return `"${arg}" belongs to no option: write ${option}.`;
  if (meant) return `There is no option ${arg}: did you mean --${meant}? (--help lists them all.)`;
  return isOption
    ? `There is no option ${arg}: --help lists them all.`
    : `"${arg}" belongs to no option: write --NAME ${arg}. (--help lists the options.)`;
}

/** The option that a file or folder is meant for, as it is to be typed; undefined for what is none of them. */
function optionForPath(path: string, names: readonly string[]): string | undefined {
  const has = (name: string) => names.includes(name);
  if (has("model") && /\.onnx$/i.test(path)) return `--model ${path}`;
  const holds = (name: string) => exists(`${path}/${name}`);
  if (has("data") && holds("training_split")) return `--data algonauts:${path}`;
  if (has("data") && (holds("nsddata_betas") || /\/nsddata_betas(?:\/|$)/.test(path))) {
    return `--data nsd:${path}`;
  }
  if (has("data") && holds("SegmentationClass")) return `--data voc:${path}`;
  if (has("data") && holds("gtsegs_ijcv.mat")) return `--data imagenet-seg:${path}`;
  const folder = path.replace(/[^/]*$/, "") || ".";
  if (has("images") && /\.(?:jpe?g|png|webp|tiff?|gif|avif)$/i.test(path)) {
    return `--images with the folder of photographs, as --images ${folder}`;
  }
  return has("images") && (/[/~.]/.test(path) || exists(path)) ? `--images ${path}` : undefined;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== null;
  } catch {
    return false; // absent, or reading is not allowed here
  }
}

/**
 * The name that was probably meant.
 *
 * @param name as typed
 * @returns undefined where none is like it: at most half of the letters differ, or it begins alike
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const cost = (known: string) =>
    known.startsWith(name) ? 0 : distance(known, name) / Math.max(name.length, 1);
  const nearest = names.toSorted((a, b) => cost(a) - cost(b) || distance(a, name) - distance(b, name))[0];
  return name !== "" && cost(nearest) <= 0.5 ? nearest : undefined;
}

/**
 * A whole number in an option.
 *
 * @throws RangeError '--scenes is "ten": give a whole number from 1 to 50000.'
 */
export function wholeNumber(
  flags: Flags,
  name: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(String(text)) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  throw new RangeError(`--${name} is "${text}": give a whole number ${range}.`);
}

/**
 * A number in an option.
 *
 * @throws RangeError '--lambda is "much": give a number from 0 on.'
 */
export function realNumber(flags: Flags, name: string, least: number, most = Infinity): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  const isPlain = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(String(text));
  if (isPlain && value >= least && value <= most && Number.isFinite(value)) return value;
  throw new RangeError(
    `--${name} is "${text}": give a number ${
      most === Infinity ? `from ${least} on` : `from ${least} to ${most}`
    }.`,
  );
}

/**
 * One of a few words in an option.
 *
 * @throws RangeError '--adapter is "gpu": give hardware or software.'
 */
export function oneOf<const T extends string>(
  flags: Flags,
  name: string,
  words: readonly T[],
): T | undefined {
  const given = flags[name], found = words.find((word) => word === given);
  if (given === undefined || found !== undefined) return found;
  throw new RangeError(`--${name} is "${given}": give ${words.slice(0, -1).join(", ")} or ${words.at(-1)}.`);
}

/** Kinds of adapters. */
const ADAPTERS = ["hardware", "software"] as const;

/** The option `--adapter`. @throws RangeError as of `oneOf` */
export function adapterOf(flags: Flags): typeof ADAPTERS[number] | undefined {
  return oneOf(flags, "adapter", ADAPTERS);
}

/**
 * Refuses options that would change nothing.
 *
 * @param names of the options
 * @param why in which combination they change nothing, and what to do, after a colon
 * @throws RangeError "--partition and --gres have no effect here: they belong to --slurm."
 */
export function refuseWithoutEffect(flags: Flags, names: readonly string[], why: string): void {
  const given = names.filter((name) => flags[name] !== undefined).map((name) => `--${name}`);
  if (given.length === 0) return;
  const list = given.length === 1 ? given[0] : `${given.slice(0, -1).join(", ")} and ${given.at(-1)}`;
  throw new RangeError(`${list} ${given.length === 1 ? "has" : "have"} no effect here: ${why}.`);
}

/** A command line as it can be typed again: `./run reproduce --out 'my folder'`. */
export function commandLine(task: string, args: readonly string[]): string {
  return shellLine(["./run", task, ...args]);
}

/** Runs a task: an error is told in one sentence, and the exit code is 1. */
export async function runTask(task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

/** Edit distance, to name the option that was probably meant. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    }
    row = next;
  }
  return row[b.length];
}
