/** Options of a script of one file. */

/** Options by name: what holds when one is not given, and its help. */
export type ScriptOptions = Readonly<Record<string, readonly [byDefault: string | number, help: string]>>;

/** The options' values: a number where the default is one. */
export type ScriptValues<T extends ScriptOptions> = {
  [Name in keyof T]: T[Name][0] extends number ? number : string;
};

/**
 * Reads a script's options, `--name value` or `--name=value`. `--help` prints them all and ends the script; so does an
 * option that is not there, and from then on any error that nothing catches is told in one sentence, without a stack.
 *
 * @param about what the script does, in one sentence
 * @param options by name: default and help; the default's type is the option's
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
 * @param options by name: default and help
 * @param args as typed
 * @returns values by name, of the defaults' types
 * @throws RangeError 'There is no option "--layr": the options are --layer, --help.'; '--layer is "six": give a number.'
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
    else if (text.trim() !== "" && Number.isFinite(Number(text))) values[name] = Number(text);
    else throw new RangeError(`--${name} is "${text}": give a number.`);
  }
  return values as ScriptValues<T>;
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
