/** Stands in, in a page, for what assertions take from `node:util` and `node:assert`. */

/** A value as text: JSON, but for what JSON has no words for. */
export function inspect(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return JSON.stringify(
      value,
      (_, part) =>
        part instanceof Map || part instanceof Set || ArrayBuffer.isView(part)
          ? [part.constructor.name, ...part as unknown as Iterable<unknown>]
          : typeof part === "number" && !(Number.isFinite(part) && !Object.is(part, -0))
          ? Object.is(part, -0) ? "-0" : String(part)
          : part,
    );
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Whether two objects that are no arrays and no plain ones are the same in what they hold. */
export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  return inspect(a) === inspect(b);
}

/** The message of `assertEquals`. */
export class AssertionError extends Error {
  constructor({ actual, expected }: { actual: unknown; expected: unknown }) {
    super(`${inspect(actual)}\nand not\n${inspect(expected)}`);
  }
}
