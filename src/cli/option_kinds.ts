/** Kinds of options of a command line: text, numbers, one of a few words, lists and switches. */

/** One option: its help, and how its text becomes a value of type `T`. */
export interface Option<T> {
  /** What stands for the value in the help; empty for a switch. */
  readonly value: string;
  /** One sentence or part of one, without the default. */
  readonly help: string;
  /** The default in words, as the help shows it; none for a switch. */
  readonly shown?: string;
  /** The name that the option had in the last version, which goes on working. */
  readonly formerly?: string;
  /** Whether an empty text is a value. */
  readonly mayBeEmpty?: boolean;
  /**
   * Reads and checks the value.
   *
   * @param texts as typed, in order; empty where the option is not given
   * @param name of the option
   * @throws RangeError '--seed is "two": give a whole number from 0 on.'
   */
  read(texts: readonly string[], name: string): T;
}

/** Options by name. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** The values of options, by name. */
export type OptionValues<S extends Options> = {
  readonly [Name in keyof S]: S[Name] extends Option<infer T> ? T : never;
};

/** What every kind of option says of itself. */
interface About<D> {
  value?: string;
  help: string;
  /** The value where the option is not given. */
  default?: D;
  /** The default in words, where it is not a value. */
  shown?: string;
  formerly?: string;
}

/** An option that counts once: of several the last, which is reported. */
function single<T, D>(
  about: About<D>,
  value: string,
  parse: (text: string, name: string) => T,
): Option<T | D> {
  const { help, default: byDefault, formerly } = about;
  return {
    help,
    value: about.value ?? value,
    shown: about.shown ?? (byDefault === undefined || byDefault === "" ? undefined : String(byDefault)),
    formerly,
    read(texts, name) {
      if (texts.length === 0) return byDefault as D;
      const last = texts.at(-1)!;
      if (texts.some((text) => text !== last)) {
        console.error(`--${name} is given more than once: ${last}, the last, counts.`);
      }
      return parse(last, name);
    },
  };
}

/** An option that takes any text, for instance a file or folder. */
export function text<D extends string | undefined = undefined>(
  about: About<D> & { mayBeEmpty?: boolean },
): Option<string | D> {
  return { ...single(about, "TEXT", (text) => text), mayBeEmpty: about.mayBeEmpty };
}

/** An option that takes a whole number, `from` at least and `to` at most. */
export function wholeNumber<D extends number | undefined = undefined>(
  about: About<D> & { from: number; to?: number },
): Option<number | D> {
  const { from, to = Number.MAX_SAFE_INTEGER } = about;
  return single(about, "N", (text, name) => {
    const value = Number(text);
    const isWhole = /^[-+]?\d+$/.test(text) && Number.isSafeInteger(value);
    if (isWhole && value >= from && value <= to) return value;
    const isEndless = to >= Number.MAX_SAFE_INTEGER && !(value > to);
    const range = isEndless ? `from ${from} on` : `from ${from} to ${to}`;
    throw new RangeError(`--${name} is "${text}": give a whole number ${range}.`);
  });
}

/** An option that takes a finite number, `from` at least and `to` at most, or `above` a number. */
export function realNumber<D extends number | undefined = undefined>(
  about: About<D> & { from?: number; to?: number; above?: number },
): Option<number | D> {
  const { from = -Infinity, to = Infinity, above = -Infinity } = about;
  return single(about, "X", (text, name) => {
    const value = Number(text);
    const isPlain = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text);
    if (isPlain && Number.isFinite(value) && value >= from && value <= to && value > above) return value;
    const range = above > -Infinity
      ? ` above ${above}`
      : to < Infinity
      ? ` from ${from} to ${to}`
      : from > -Infinity
      ? ` from ${from} on`
      : "";
    throw new RangeError(`--${name} is "${text}": give a number${range}.`);
  });
}

/** An option that takes one of a few words; `renamed` has words of the last version, which go on working, with those of now. */
export function oneOf<const W extends string, D extends W | undefined = undefined>(
  words: readonly W[],
  about: About<D> & { renamed?: Readonly<Record<string, W>> },
): Option<W | D> {
  const renamed = new Map(Object.entries(about.renamed ?? {}));
  return single(about, "HOW", (text, name) => {
    const now = renamed.get(text), found = now ?? words.find((word) => word === text);
    if (now !== undefined) {
      console.error(`--${name} ${text} is called ${now} now; the next version drops the old name.`);
    }
    if (found !== undefined) return found;
    const list = words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
    throw new RangeError(`--${name} is "${text}": give ${list}.`);
  });
}

/** An option that takes some of a few words, with commas between them; each counts once, and none is the default. */
export function listOf<const W extends string>(words: readonly W[], about: About<undefined>): Option<W[]> {
  const parse = (text: string, name: string): W[] => {
    const parts = text.split(",").map((part) => {
      const found = words.find((word) => word === part.trim());
      if (found !== undefined) return found;
      throw new RangeError(`--${name} has "${part.trim()}": give ${words.join(", ")} or ${words.join(",")}.`);
    });
    return [...new Set(parts)];
  };
  const option = single<W[], undefined>(about, "LIST", parse);
  return { ...option, shown: about.shown ?? "none", read: (texts, name) => option.read(texts, name) ?? [] };
}

/** An option that may be given several times, or once with commas between its values. */
export function repeated(about: About<undefined>): Option<string[]> {
  const { value = "TEXT", help, shown, formerly } = about;
  return { value, help, shown, formerly, read: (texts) => texts.flatMap((text) => text.split(",")) };
}

/** An option that takes no value. */
export function toggle(about: Pick<About<undefined>, "help" | "formerly">): Option<boolean> {
  return { ...about, value: "", read: (texts) => texts.length > 0 };
}
