/** Options of a script of one file. */

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
    console.log(helpText(about, options));
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
 * @throws RangeError 'There is no option "--layr": the options are --layer, --help.'; '--layer is "six": give a number.'; '--x
 * is "300": give a number from 0 to 1.'
 */
export function parseOptions<const T extends ScriptOptions>(
  options: T,
  args: readonly string[],
): ScriptValues<T> {
  const values: Record<string, string | number> = {};
  for (const [name, [byDefault]] of Object.entries(options)) values[name] = byDefault;
  for (let i = 0; i < args.length; i++) {
    const [, name, joined] = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]) ?? [];
    if (name === undefined || !Object.hasOwn(options, name)) {
      const known = [...Object.keys(options), "help"].map((option) => `--${option}`).join(", ");
      throw new RangeError(`There is no option "${args[i]}": the options are ${known}.`);
    }
    const text = joined ?? args[++i];
    if (text === undefined) throw new RangeError(`--${name} has no value: write --${name} VALUE.`);
    if (typeof options[name][0] === "string") values[name] = text;
    else values[name] = numberOf(name, text, options[name]);
  }
  return values as ScriptValues<T>;
}

function numberOf(name: string, text: string, [byDefault, , range]: ScriptOptions[string]): number {
  const [least, most] = range ?? [-Infinity, Infinity], value = Number(text);
  const isWhole = range !== undefined &&
    [byDefault, least, most].every((own) => own === Infinity || Number.isInteger(own));
  const isNumber = text.trim() !== "" && Number.isFinite(value) && (!isWhole || Number.isInteger(value));
  if (isNumber && value >= least && value <= most) return value;
  const kind = isWhole ? "a whole number" : "a number";
  const ends = !range ? "" : most === Infinity ? ` from ${least} on` : ` from ${least} to ${most}`;
  throw new RangeError(`--${name} is "${text}": give ${kind}${ends}.`);
}

function helpText(about: string, options: ScriptOptions): string {
  const lines = Object.entries(options).map(([name, [byDefault, help]]) => {
    const shown = byDefault === "" ? "" : ` (default: ${byDefault})`;
    return `  --${name.padEnd(12)} ${help}${shown}`;
  });
  return [about, "", ...lines, `  --${"help".padEnd(12)} this text`].join("\n");
}

function end(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  Deno.exit(1);
}
