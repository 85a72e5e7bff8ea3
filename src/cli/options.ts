/** Options of a command line by one specification: it reads them, checks them, and prints their help. */
import config from "../../deno.json" with { type: "json" };
import { endOnInterrupt } from "./interrupt.ts";
import { parseArgs } from "node:util";
import { shellLine } from "../report/shell_line.ts";
import { nearestName } from "./nearest_name.ts";
import type { Options, OptionValues } from "./option_kinds.ts";

/** What a command line says. */
export interface Parsed<S extends Options> {
  /** Values by name, defaults included. */
  options: OptionValues<S>;
  /** Names of the options that were typed. */
  given: ReadonlySet<string>;
}

/** A task, as its help describes it. */
export interface Command<S extends Options = Options> {
  /** Name of the task. */
  task: string;
  options: S;
  /** The first lines of the help; default `./run TASK [options]`. */
  usage?: string;
  /** What the help says before the options. */
  about?: string;
  /** Options that stand together below a heading, after the others. */
  sections?: readonly { heading: string; options: Options }[];
  /** What the help says after the options. */
  after?: string;
}

/** Columns of the help. */
const WIDTH = 110;

/**
 * Reads options, `--name value` or `--name=value`; a value may begin with "-" but not with "--". An old name goes on working,
 * and the new one is reported.
 *
 * @param options by name
 * @param args as `Deno.args`
 * @returns null when help is asked for
 * @throws RangeError "There is no option --lambdas: did you mean --lambda? (--help lists them all.)"; also when an option
 * has no value or a wrong one, a switch has one, or a word belongs to no option
 */
export function parseOptions<S extends Options>(options: S, args: readonly string[]): Parsed<S> | null {
  if (args.some((arg) => arg === "--help" || arg === "-h")) return null;
  const names = Object.keys(options), words = joined(options, args);
  const texts = new Map<string, string[]>(names.map((name) => [name, []]));
  const { tokens } = parseArgs({
    args: words,
    options: Object.fromEntries(names.map((name) => [name, { type: "string", multiple: true }])),
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    const own = token.kind === "option" && token.rawName.startsWith("--") ? texts.get(token.name) : undefined;
    if (own === undefined) {
      throw new RangeError(unknownArgument(words[token.index], words[token.index + 1], options));
    }
    own.push((token as { value: string }).value);
  }
  const values = names.map((name) => [name, options[name].read(texts.get(name)!, name)]);
  return {
    options: Object.fromEntries(values),
    given: new Set(names.filter((name) => texts.get(name)!.length > 0)),
  };
}

/** The arguments with new names, every option in one argument with its value: `--name=value`, `--switch=true`. */
function joined(options: Options, args: readonly string[]): string[] {
  const renamed = new Map(
    Object.entries(options).flatMap(([name, { formerly }]) => formerly ? [[formerly, name]] : []),
  );
  const found: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [, typed = "", text] = /^--([^=]+)(?:=(.*))?$/s.exec(args[at]) ?? [];
    const name = Object.hasOwn(options, typed) ? typed : renamed.get(typed);
    if (name === undefined) {
      found.push(args[at]);
      continue;
    }
    if (name !== typed) {
      console.error(`--${typed} is called --${name} now; the next version drops the old name.`);
    }
    const { value, mayBeEmpty } = options[name];
    if (value === "") {
      if (text !== undefined) {
        throw new RangeError(`--${name} takes no value: write it alone, or leave it out.`);
      }
      found.push(`--${name}=true`);
      continue;
    }
    const next = args[at + 1], own = text ?? (next?.startsWith("--") ? undefined : next);
    if (own === undefined || own === "" && !mayBeEmpty) {
      throw new RangeError(`--${name} is given without a value: write --${name}=${value}.`);
    }
    if (text === undefined) at++;
    found.push(`--${name}=${own}`);
  }
  return found;
}

/** A command line without some of its options, and without their values. */
export function withoutOptions(options: Options, args: readonly string[]): string[] {
  const named = new Map(
    Object.entries(options).flatMap(([name, option]) =>
      [name, option.formerly ?? name].map((each) => [each, option])
    ),
  );
  const rest: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [, name = "", text] = /^--([^=]+)(=.*)?$/s.exec(args[at]) ?? [], option = named.get(name);
    if (!option) rest.push(args[at]);
    else if (option.value !== "" && text === undefined) at++;
  }
  return rest;
}

/**
 * What is wrong with an argument that no option is called, in one sentence: an option of a like name that takes such a
 * value, else the one that such a value is for, else one of a like name.
 */
function unknownArgument(arg: string, following: string | undefined, options: Options): string {
  const names = [...Object.keys(options), "help"];
  const [name, own] = arg.replace(/^-+/, "").split(/=(.*)/s);
  const isOption = arg.startsWith("-"), value = own ?? (following?.startsWith("--") ? undefined : following);
  const fitting = isOption ? names.filter((known) => takes(options[known], known, value)) : names;
  const option = optionForPath(isOption ? value ?? "" : arg, names);
  if (option && !isOption) return `"${arg}" belongs to no option: write ${option}.`;
  const like = nearestName(name, fitting);
  if (option && !like) return `There is no option ${arg}: did you mean ${option}? (--help lists them all.)`;
  const meant = like ?? nearestName(name, names);
  if (meant) return `There is no option ${arg}: did you mean --${meant}? (--help lists them all.)`;
  return isOption
    ? `There is no option ${arg}: --help lists them all.`
    : `"${arg}" belongs to no option: write --NAME ${arg}. (--help lists the options.)`;
}

/** Whether an option takes a value, or none. */
function takes(option: Options[string] | undefined, name: string, value: string | undefined): boolean {
  if (option === undefined || option.value === "" || value === undefined) {
    return value === undefined && (option === undefined || option.value === "");
  }
  try {
    option.read([value], name);
    return true;
  } catch {
    return false; // it says what it takes
  }
}

/** The option that a file or folder is meant for, as it is to be typed; undefined for what is none of them. */
function optionForPath(path: string, names: readonly string[]): string | undefined {
  const has = (name: string) => names.includes(name);
  if (has("model") && /\.onnx$/i.test(path)) return `--model ${path}`;
  if (has("data") && /^(?:algonauts|nsd|voc|imagenet-seg):/.test(path)) return `--data ${path}`;
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
 * Refuses options that would change nothing.
 *
 * @param given names of the options that were typed
 * @param names of those that have no effect
 * @param why in which combination they have none, and what to do
 * @throws RangeError "--partition and --gres have no effect here: they belong to --slurm."
 */
export function refuseWithoutEffect(given: ReadonlySet<string>, names: readonly string[], why: string): void {
  const useless = names.filter((name) => given.has(name)).map((name) => `--${name}`);
  if (useless.length === 0) return;
  const list = useless.length === 1 ? useless[0] : `${useless.slice(0, -1).join(", ")} and ${useless.at(-1)}`;
  throw new RangeError(`${list} ${useless.length === 1 ? "has" : "have"} no effect here: ${why}.`);
}

/** The help of a task: all of its options, their texts one below the other, in 110 columns. */
export function helpOf({ task, usage, about, options, sections = [], after }: Command): string {
  const sectioned = new Set(sections.flatMap((section) => Object.keys(section.options)));
  const first = Object.entries(options).filter(([name]) => !sectioned.has(name));
  const line = about ?? (sections.length === 0 ? descriptionOf(task) : undefined);
  const column = Math.max(...[...Object.entries(options), HELP].map((entry) => headOf(entry).length)) + 2;
  const linesOf = (entries: [string, Options[string]][]) =>
    entries.map((entry) => wrapped(headOf(entry).padEnd(column), column, textOf(entry[1]))).join("\n");
  return [
    usage ?? `./run ${task} [options]`,
    line && wrappedLines(line),
    linesOf(sections.length > 0 ? first : [...first, HELP]),
    ...sections.map(({ heading, options }, at) => {
      const own = Object.entries(options);
      return `${wrappedLines(heading)}\n\n${linesOf(at === sections.length - 1 ? [...own, HELP] : own)}`;
    }),
    after && wrappedLines(after),
  ].filter(Boolean).join("\n\n");
}

/** The sentence that `./run help` has for a task. */
function descriptionOf(task: string): string | undefined {
  const { description } = (config.tasks as Record<string, { description: string }>)[task] ?? {};
  return description && `${description[0].toUpperCase()}${description.slice(1)}.`;
}

const HELP: [string, Options[string]] = ["help", { value: "", help: "print this text", read: () => {} }];

function headOf([name, { value }]: [string, Options[string]]): string {
  return `  --${name}${value && ` ${value}`}`;
}

/** The help of one option, with its default. */
export function textOf({ help, shown }: Options[string]): string {
  return shown === undefined ? help : `${help} (default: ${shown})`;
}

/** Words in lines of at most 110 columns, those after the first `column` columns further in. */
export function wrapped(head: string, column: number, text: string): string {
  const lines: string[] = [];
  let line = head, isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(column);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join("\n");
}

/** The same of several lines; a line that begins with a name goes on below what stands behind the name. */
function wrappedLines(text: string): string {
  return text.split("\n").map((line) => {
    const [head] = /^ {2}\S+ {2,}/.exec(line) ?? [""];
    return wrapped(head, head.length, line.slice(head.length));
  }).join("\n");
}

/** A command line as it can be typed again: `./run reproduce --out 'my folder'`. */
export function commandLine(task: string, args: readonly string[]): string {
  return shellLine(["./run", task, ...args]);
}

/** Runs a task: an error is printed in one sentence, and the exit code is 1. */
export async function runTask(task: () => Promise<void>): Promise<void> {
  try {
    await endOnInterrupt(task);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}

/**
 * Runs a task with the options of `Deno.args`, or prints its help.
 *
 * @param work is called with the options; an error is printed in one sentence, and the exit code is 1
 */
export async function runCommand<S extends Options>(
  command: Command<S>,
  work: (parsed: Parsed<S>) => Promise<void>,
): Promise<void> {
  await runTask(async () => {
    const parsed = parseOptions(command.options, Deno.args);
    if (parsed) await work(parsed);
    else console.log(helpOf(command));
  });
}
