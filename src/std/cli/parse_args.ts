type Names<T extends string> = T | readonly T[];

/** What `parseArgs` knows of the flags. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D extends Record<string, unknown> = Record<string, unknown>,
  DD extends boolean = boolean,
> {
  /** Flags that take no value, or `true`: every `--flag` without `=` takes none. They default to false. */
  boolean?: boolean | Names<B>;
  /** Flags whose values stay strings; `"_"` stands for the positional arguments. */
  string?: Names<S>;
  /** Flags that may be given several times; their values become an array. */
  collect?: Names<C>;
  /** Flags that `--no-flag` sets to false. */
  negatable?: Names<string>;
  /** Other names of a flag; all names get the value. */
  alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Values of flags that are not given. */
  default?: D;
  /** Puts everything from the first positional argument on in `_`. */
  stopEarly?: boolean;
  /** Puts what follows `--` in the property `"--"` instead of `_`. */
  "--"?: DD;
  /** Called on an argument that no option names; returning false leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

type Single<K, B, S> = K extends S ? string : K extends B ? boolean : unknown;
type Known<B extends string, S extends string, C extends string, D> =
  & { [K in Exclude<B, C>]: boolean | (K extends keyof D ? D[K] : never) }
  & { [K in Exclude<S, C | "_" | keyof D>]?: string }
  & { [K in Extract<Exclude<S, C>, keyof D>]: string | (K extends keyof D ? D[K] : never) }
  & { [K in C]: Single<K, B, S>[] | (K extends keyof D ? D[K] : never) }
  & { [K in Exclude<keyof D, B | S | C>]: unknown };

// deno-lint-ignore no-explicit-any
type Untyped = Record<string, any>;

/** The parsed flags by name, and the positional arguments in `_`. */
export type Args<B extends string, S extends string, C extends string, D, DD extends boolean> =
  & ([B | S | C] extends [never] ? Untyped
    : Record<string, unknown> & Known<B, S, C, D>)
  & { _: "_" extends S ? string[] : (string | number)[] }
  & (DD extends true ? { "--": string[] } : unknown);

const NUMBER = /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i;

/**
 * Parses command-line arguments into flags and positional arguments. Values that look like numbers become
 * numbers unless the flag is a string; a dotted flag (`--a.b 1`) makes nested objects; a later value of a flag
 * replaces an earlier one unless the flag is collected.
 * @param args The arguments, for instance `Deno.args`.
 * @param options Which flags there are and how each is read.
 * @returns The flags by name, the positional arguments in `_` and, on request, what follows `--` in `"--"`.
 *
 * @example
 * ```ts
 * import { parseArgs } from "@std/cli/parse-args";
 * const flags = parseArgs(["--quick", "--out", "here"], { boolean: ["quick"], string: ["out"] });
 * console.log(flags.quick, flags.out); // true "here"
 * ```
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const D extends Record<string, unknown> = Record<never, never>,
  const DD extends boolean = false,
>(args: readonly string[], options: ParseOptions<B, S, C, D, DD> = {}): Args<B, S, C, D, DD> {
  const same = aliasesOf(options.alias ?? {});
  const withAliases = (names: Iterable<string>) =>
    new Set([...names].flatMap((name) => [name, ...same(name)]));
  const allBooleans = options.boolean === true;
  const booleans = withAliases(typeof options.boolean === "boolean" ? [] : list(options.boolean));
  const strings = withAliases(list(options.string));
  const collected = withAliases(list(options.collect));
  const negatable = withAliases(list(options.negatable));
  const positional: (string | number)[] = [];
  const flags: Record<string, unknown> = { _: positional };

  const convert = (key: string, value: string | boolean): unknown =>
    typeof value === "string" && !strings.has(key) && NUMBER.test(value) ? Number(value) : value;

  const set = (key: string, value: string | boolean, arg: string) => {
    const isNamed = booleans.has(key) || strings.has(key) || same(key).length > 0;
    const isPlainFlag = allBooleans && /^--[^=]+$/.test(arg);
    const converted = convert(key, value);
    if (!isNamed && !isPlainFlag && options.unknown?.(arg, key, converted) === false) return;
    for (const name of [key, ...same(key)]) assign(flags, name, converted, collected.has(key));
  };

  const addPositional = (arg: string) => {
    if (options.unknown?.(arg) === false) return;
    positional.push(strings.has("_") || !NUMBER.test(arg) ? arg : Number(arg));
  };

  /** Sets a flag that has no value attached; returns how many of the following arguments it took (0 or 1). */
  const setFromNext = (key: string, next: string | undefined, arg: string, takesNone: boolean): number => {
    const isValue = next !== undefined && (next === "-" || !next.startsWith("-"));
    if (isValue && !takesNone) {
      set(key, next, arg);
      return 1;
    }
    if (takesNone && (next === "true" || next === "false")) {
      set(key, next === "true", arg);
      return 1;
    }
    set(key, strings.has(key) ? "" : true, arg);
    return 0;
  };

  const end = args.indexOf("--");
  const before = end < 0 ? args : args.slice(0, end);
  let after = end < 0 ? [] : args.slice(end + 1);
  for (let i = 0; i < before.length; i++) {
    const arg = before[i], next = before[i + 1];
    const long = /^--([^=]+)(?:=(.*))?$/s.exec(arg);
    if (long) {
      const [, key, value] = long;
      const negated = key.startsWith("no-") ? key.slice(3) : undefined;
      if (value !== undefined) set(key, booleans.has(key) ? value !== "false" : value, arg);
      else if (negated !== undefined && negatable.has(negated)) set(negated, false, arg);
      else i += setFromNext(key, next, arg, booleans.has(key) || allBooleans);
    } else if (/^-[^-]/.test(arg)) {
      const last = setLetters(arg);
      if (last) i += setFromNext(last, next, arg, booleans.has(last));
    } else {
      if (options.stopEarly) {
        after = before.slice(i).concat(end < 0 ? [] : args.slice(end));
        break;
      }
      addPositional(arg);
    }
  }

  /** Sets the flags of `-abc`, `-a=1`, `-n5` or `-I/dir`; returns the last letter when it has no value yet. */
  function setLetters(arg: string): string | undefined {
    for (let j = 1; j < arg.length; j++) {
      const letter = arg[j], rest = arg.slice(j + 1);
      if (rest === "") return letter;
      const value = /^[a-z]$/i.test(letter) && rest.startsWith("=") ? rest.slice(1) : rest;
      const isAttached = rest === "-" || value !== rest || /^\W/.test(rest) ||
        (/^[a-z]$/i.test(letter) && NUMBER.test(rest));
      if (isAttached) {
        set(letter, booleans.has(letter) ? value !== "false" : value, arg);
        return undefined;
      }
      set(letter, strings.has(letter) ? "" : true, arg);
    }
  }

  const defaults: Record<string, unknown> = options.default ?? {};
  for (const [key, value] of Object.entries(defaults)) {
    for (const name of [key, ...same(key)]) if (!has(flags, name)) assign(flags, name, value, false);
  }
  for (const name of booleans) {
    if (!has(flags, name) && !collected.has(name)) assign(flags, name, false, false);
  }
  for (const name of collected) if (!has(flags, name)) assign(flags, name, [], false);
  if (options["--"]) flags["--"] = [...after];
  else for (const arg of after) positional.push(strings.has("_") || !NUMBER.test(arg) ? arg : Number(arg));
  return flags as Args<B, S, C, D, DD>;
}

function list(names: string | readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}

/** A function that lists the other names of a flag, whichever of its names it is asked for. */
function aliasesOf(alias: Readonly<Record<string, string | readonly string[]>>): (name: string) => string[] {
  const groups = Object.entries(alias).map(([name, others]) => [name, ...list(others)]);
  return (name) => groups.filter((group) => group.includes(name)).flat().filter((other) => other !== name);
}

function has(flags: Record<string, unknown>, name: string): boolean {
  let at: unknown = flags;
  for (const part of name.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return false;
    at = Reflect.get(at, part);
  }
  return true;
}

function assign(flags: Record<string, unknown>, name: string, value: unknown, collect: boolean): void {
  const parts = name.split(".");
  if (parts.includes("__proto__")) return;
  const last = parts.pop()!;
  let at = flags;
  for (const part of parts) {
    const inner = Object.hasOwn(at, part) ? at[part] : undefined;
    at = at[part] = typeof inner === "object" && inner !== null ? inner as Record<string, unknown> : {};
  }
  const earlier = Object.hasOwn(at, last) ? at[last] : undefined;
  at[last] = collect ? [...(Array.isArray(earlier) ? earlier : []), value] : value;
}
