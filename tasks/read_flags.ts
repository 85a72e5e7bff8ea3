/** Command-line options of the tasks: unknown ones are errors that name the nearest. */
import { parseArgs } from "@std/cli/parse-args";

/** Options by name, as typed. */
export type Flags = Record<string, string | boolean | undefined>;

/**
 * Reads options.
 *
 * @param args as `Deno.args`
 * @param values names of options that take a value
 * @param switches names of options that do not; `help` is always one
 * @returns null when help is asked for
 * @throws RangeError "There is no option --lambdas: did you mean --lambda? (--help lists them all.)", or when an option
 * has no value or a switch has one
 */
export function readFlags(args: string[], values: string[], switches: string[] = []): Flags | null {
  const names = [...values, ...switches, "help"];
  const flags = parseArgs(args, {
    string: values,
    boolean: [...switches, "help"],
    unknown: (arg) => {
      const name = arg.replace(/^-+/, "").split("=")[0];
      const nearest = names.toSorted((a, b) => distance(a, name) - distance(b, name))[0];
      throw new RangeError(`There is no option ${arg}: did you mean --${nearest}? (--help lists them all.)`);
    },
  });
  if (flags.help) return null;
  for (const name of values) {
    if (flags[name] === "") {
      throw new RangeError(`--${name} is given without a value: write --${name}=VALUE.`);
    }
  }
  for (const name of switches) {
    if (args.some((arg) => arg.startsWith(`--${name}=`))) {
      throw new RangeError(`--${name} takes no value: write it alone, or leave it out.`);
    }
  }
  return flags as Flags;
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
