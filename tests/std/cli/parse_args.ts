/** What `parseArgs` knows of the flags. */
export interface ParseOptions<B extends string = string, S extends string = string> {
  /** Flags that take no value. They default to false. */
  boolean?: readonly B[];
  /** Flags whose values stay strings; `"_"` stands for the positional arguments. */
  string?: readonly S[];
}

/** The parsed flags by name, and the positional arguments in `_`. */
export type Args<B extends string, S extends string> =
  & Record<string, unknown>
  & { [K in B]: boolean }
  & { [K in Exclude<S, "_">]?: string }
  & { _: "_" extends S ? string[] : (string | number)[] };

const NUMBER = /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i;

/**
 * Parses command-line arguments into flags and positional arguments. Values that look like numbers become
 * numbers unless the flag is a string; a later value of a flag replaces an earlier one. A letter stands by itself (`-c`).
 * @param args The arguments, for instance `Deno.args`.
 * @param options Which flags there are and how each is read.
 * @returns The flags by name, and the positional arguments in `_`.
 *
 * @example
 * ```ts
 * import { parseArgs } from "@std/cli/parse-args";
 * const flags = parseArgs(["--quick", "--out", "here"], { boolean: ["quick"], string: ["out"] });
 * console.log(flags.quick, flags.out); // true "here"
 * ```
 */
export function parseArgs<const B extends string = never, const S extends string = never>(
  args: readonly string[],
  options: ParseOptions<B, S> = {},
): Args<B, S> {
  const booleans = new Set<string>(options.boolean), strings = new Set<string>(options.string);
  const converted = (key: string, value: string) =>
    strings.has(key) || !NUMBER.test(value) ? value : Number(value);
  const positional: (string | number)[] = [], flags = new Map<string, unknown>();
  const end = args.indexOf("--"), before = end < 0 ? args : args.slice(0, end);
  for (let i = 0; i < before.length; i++) {
    const arg = before[i], next = before[i + 1];
    const [, key, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? /^-([a-z])(?:=(.*))?$/is.exec(arg) ?? [];
    if (key === undefined) positional.push(converted("_", arg));
    else if (value !== undefined) {
      flags.set(key, booleans.has(key) ? value !== "false" : converted(key, value));
    } else if (
      booleans.has(key)
        ? /^(?:true|false)$/.test(next ?? "")
        : next !== undefined && /^(?:-$|[^-]|$)/.test(next)
    ) {
      flags.set(key, booleans.has(key) ? next === "true" : converted(key, next));
      i++;
    } else flags.set(key, strings.has(key) ? "" : true);
  }
  if (end >= 0) positional.push(...args.slice(end + 1).map((arg) => converted("_", arg)));
  for (const name of booleans) if (!flags.has(name)) flags.set(name, false);
  return Object.fromEntries([...flags, ["_", positional]]) as Args<B, S>;
}
