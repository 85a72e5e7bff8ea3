/** JSON that people edit, or that another version may have written, checked against a schema of valibot. */
import * as v from "valibot";
import { reasonOf } from "./atomic_write.ts";

/** Any schema. */
export type JsonSchema = v.GenericSchema;

export const TEXT = v.string("a text");
export const NUMBER = v.pipe(v.number("a number"), v.finite("a finite number"));
/** A yes or no. */
export const TOGGLE = v.boolean("true or false");
/** A SHA-256 in hexadecimal. */
export const SHA256 = v.pipe(v.string("a SHA-256"), v.regex(/^[0-9a-f]{64}$/, "a SHA-256"));
/** Sizes and hashes of files by their path. */
export const FILE_HASHES = v.record(
  TEXT,
  v.object({ bytes: wholeNumber(), sha256: SHA256 }, "size and hash"),
);

export function wholeNumber(least = 0) {
  const words = `a whole number from ${least} on`;
  return v.pipe(v.number(words), v.safeInteger(words), v.minValue(least, words));
}

/** An object of these keys, and others. @param words what it is, as "a shard" */
export function objectOf<const E extends v.ObjectEntries>(entries: E, words = "an object") {
  return plain(v.object(entries, words), words);
}

/** Values of one kind by any names. @param words what they are, as "seconds by stage" */
export function recordOf<const S extends JsonSchema>(value: S, words = "an object") {
  return plain(v.record(v.string(), value, words), words);
}

/** A schema of an object that refuses lists, which valibot lets pass. */
export function plain<const S extends v.GenericSchema<Record<string, unknown>>>(schema: S, words: string) {
  const isPlain = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  return v.pipe(v.custom<v.InferInput<S>>(isPlain, words), schema);
}

/** A list of one kind of thing. @param words what it is, as "a list of names" */
export function listOf<const S extends JsonSchema>(item: S, words = "a list") {
  return v.array(item, words);
}

/** One of some words. */
export function oneOf<const T extends string>(words: readonly T[]) {
  return v.picklist(words, words.map((word) => `"${word}"`).join(" or "));
}

/**
 * What a text of JSON holds, where it is what a schema says; keys that the schema does not have stay.
 *
 * @throws Error "it is not JSON: …"; '"layers.0.path" is missing, expected a text': a reason to put in a sentence
 */
export function parseJson<const S extends JsonSchema>(text: string, schema: S): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, "")); // a byte order mark, as some editors write it
  } catch (error) {
    throw new Error(`it is not JSON: ${reasonOf(error)}`, { cause: error });
  }
  return checked(value, schema);
}

/** The value itself, where it is what a schema says. @throws Error as `parseJson` */
export function checked<const S extends JsonSchema>(value: unknown, schema: S): v.InferOutput<S> {
  const { issues } = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true });
  if (!issues) return value as v.InferOutput<S>;
  const [issue] = issues, keys = (issue.path ?? []).map(({ key }) => String(key));
  if (keys.length === 0) throw new Error(`it is ${shown(value)}, expected ${issue.message}`);
  const last = issue.path!.at(-1)!, found = last.value;
  const name = JSON.stringify(keys.join(".").slice(0, MAX_SHOWN));
  if (issue.expected === "never") {
    throw new Error(`${name} is not known, expected ${orList(keysAt(schema, keys.slice(0, -1)))}`);
  }
  // valibot says of a key that is missing only that it is: what its value is to be, its own schema says.
  const words = found === undefined ? wordsOf(schema, keys) ?? issue.message : issue.message;
  throw new Error(`${name} is ${shown(found)}, expected ${words}`);
}

/** Characters of a value in a message. */
const MAX_SHOWN = 60;

/** A value as JSON, cut where it is long. */
export function shown(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    return "a deep nest"; // more levels than the stack has
  }
  return text === undefined ? "missing" : text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/** The schema of a value within another. */
function schemaAt(schema: unknown, keys: readonly string[]): Record<string, unknown> | undefined {
  let at = schema as Record<string, unknown> | undefined;
  for (const key of keys) {
    at = unwrapped(at);
    const entries = at?.entries as Record<string, unknown> | undefined;
    at = (entries?.[key] ?? at?.item ?? at?.value) as Record<string, unknown> | undefined;
  }
  return at;
}

function keysAt(schema: unknown, keys: readonly string[]): string[] {
  return Object.keys(unwrapped(schemaAt(schema, keys))?.entries ?? {});
}

/** What is within an optional schema, and behind the first look of `plain`. */
function unwrapped(schema: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  const parts = schema?.pipe as Record<string, unknown>[] | undefined;
  const inner = schema?.wrapped ?? (parts?.[0].type === "custom" ? parts[1] : undefined);
  return inner ? unwrapped(inner as Record<string, unknown>) : schema;
}

/** What the schema of a key says of a value that is none of JSON's. */
function wordsOf(schema: unknown, keys: readonly string[]): string | undefined {
  const own = schemaAt(schema, keys);
  return own && v.safeParse(own as unknown as JsonSchema, Symbol()).issues?.[0].message;
}

function orList(words: readonly string[]): string {
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : words.join();
}
