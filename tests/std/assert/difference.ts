import { AssertionError } from "node:assert";
import { inspect } from "node:util";
import { equal } from "./equal.ts";

/** Characters of both values up to which all of them is shown; a diff takes the square of their lines. */
const SHORT = 6000;

/** Shown in place of a value where there is no such key. */
const ABSENT = Symbol("no such key");

/**
 * How two values that are not equal differ: a diff where they are short, else the first place where they do and what is there,
 * so that a log of two large results says in a line what went wrong.
 */
export function difference(actual: unknown, expected: unknown): string {
  const texts = [actual, expected].map((value) =>
    inspect(value, { depth: 10, maxArrayLength: 200, maxStringLength: SHORT })
  );
  const isShort = texts[0].length + texts[1].length <= SHORT &&
    texts.every((text) => !/\d more (?:item|character)s?/.test(text));
  if (isShort) return new AssertionError({ actual, expected, operator: "deepStrictEqual" }).message;
  const { path, found, wanted } = firstDifference(actual, expected, "");
  return `first at ${path || "the top"}: ${brief(found)}, expected ${brief(wanted)}`;
}

interface Place {
  path: string;
  found: unknown;
  wanted: unknown;
}

/** The first place where two values that are not equal differ. */
function firstDifference(actual: unknown, expected: unknown, path: string): Place {
  const here = { path, found: actual, wanted: expected };
  if (typeof actual === "string" && typeof expected === "string") {
    let at = 0;
    while (actual[at] === expected[at]) at++;
    const from = Math.max(0, at - 20);
    const piece = (text: string) => text.slice(from, from + 100);
    return { path: `${path} character ${at}`.trim(), found: piece(actual), wanted: piece(expected) };
  }
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) {
    return here;
  }
  if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return here;
  const count = lengthOf(actual);
  if (count !== null && count !== lengthOf(expected)) {
    return { path: `${path}.length`, found: count, wanted: lengthOf(expected) };
  }
  for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    const [own, other] = [actual, expected].map((value) => (value as Record<string, unknown>)[key]);
    if (Object.hasOwn(actual, key) === Object.hasOwn(expected, key) && equal(own, other)) continue;
    const isName = count === null && /^[a-z_]\w*$/i.test(key);
    const inner = path + (isName ? `.${key}` : `[${count === null ? JSON.stringify(key) : key}]`);
    if (!Object.hasOwn(actual, key)) return { path: inner, found: ABSENT, wanted: other };
    if (!Object.hasOwn(expected, key)) return { path: inner, found: own, wanted: ABSENT };
    return firstDifference(own, other, inner);
  }
  return here;
}

function lengthOf(value: object): number | null {
  return Array.isArray(value) || ArrayBuffer.isView(value) && "length" in value
    ? (value as ArrayLike<unknown>).length
    : null;
}

/** A value in a few hundred characters. */
function brief(value: unknown): string {
  const text = inspect(value, { depth: 2, maxArrayLength: 10, maxStringLength: 200, breakLength: Infinity });
  return text.length > 400 ? `${text.slice(0, 400)} …` : text;
}
