/** Options of a script of one file. */
import { type Option, realNumber, text, wholeNumber } from "../cli/option_kinds.ts";
import { helpOf, parseOptions as parseTaskOptions } from "../cli/options.ts";

/**
 * Options by name: what holds when one is not given, its help, and for a number the least and the most that it may be. Where
 * default, least and most are whole numbers (or without an end, Infinity), so must the option be.
 */
export type ScriptOptions = Readonly<
  Record<
    string,
    readonly [byDefault: string | number, help: string, range?: readonly [least: number, most: number]]
  >
>;

/** The options' values: a number where the default is one. */
export type ScriptValues<T extends ScriptOptions> = {
  [Name in keyof T]: T[Name][0] extends number ? number : string;
};

/**
 * Reads a script's options, `--name value` or `--name=value`. `--help` prints them all and ends the script; so does an
 * option that is not there, and from then on any uncaught error is reported in one sentence, without a stack trace.
 *
 * @param about what the script does, in one sentence
 * @param options by name: default, help and range; the default's type is the option's
 * @param args as typed; default `Deno.args`
 * @returns values by name, of the defaults' types
 *
 * @example
 * ```ts
 * import { scriptOptions } from "../../mod.ts";
 * const { layer } = scriptOptions("Shows a layer.", { layer: [9, "number of the layer"] }, ["--layer", "3"]);
 * if (layer !== 3) throw new Error("as given");
 * ```
 */
export function scriptOptions<const T extends ScriptOptions>(
  about: string,
  options: T,
  args: readonly string[] = Deno.args,
): ScriptValues<T> {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    end(event.reason);
  });
  if (args.includes("--help") || args.includes("-h")) {
    console.log(helpOf({ task: "", usage: about, options: specified(options) }));
    Deno.exit(0);
  }
  try {
    return parseOptions(options, args);
  } catch (error) {
    end(error);
  }
}

/**
 * Reads options without ending the script.
 *
 * @param options by name: default, help and range
 * @param args as typed
 * @returns values by name, of the defaults' types
 * @throws RangeError "There is no option --layr: did you mean --layer? (--help lists them all.)"; '--layer is "six": give a
 * number.'; '--x is "300": give a number from 0 to 1.'
 */
export function parseOptions<const T extends ScriptOptions>(
  options: T,
  args: readonly string[],
): ScriptValues<T> {
  const parsed = parseTaskOptions(specified(options), args);
  if (!parsed) throw new RangeError("--help is printed by scriptOptions(), not by parseOptions().");
  return parsed.options as ScriptValues<T>;
}

/** The same as options of a task: a number where the default is one, whole where default and ends are. */
function specified(options: ScriptOptions): Record<string, Option<string | number>> {
  return Object.fromEntries(
    Object.entries(options).map(([name, [byDefault, help, range]]) => {
      if (typeof byDefault === "string") {
        const shown = byDefault || undefined;
        return [name, text({ help, default: byDefault, shown, mayBeEmpty: true })];
      }
      const [from, to] = range ?? [-Infinity, Infinity];
      const isWhole = range &&
        [byDefault, from, to].every((own) => own === Infinity || Number.isInteger(own));
      return [name, (isWhole ? wholeNumber : realNumber)({ help, default: byDefault, from, to })];
    }),
  );
}

function end(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
