/**
 * The part of `jsr:@std/assert` that this project uses, with the registry's names and call signatures,
 * so that tests also run where jsr.io cannot be reached.
 * @module
 */
import { inspect } from "node:util";
import { difference } from "./difference.ts";
import { equal } from "./equal.ts";

/** What every assertion of this module throws. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

const show = (value: unknown) =>
  inspect(value, { depth: 6, maxArrayLength: 20, maxStringLength: 3000, breakLength: 100 });

function check(condition: boolean, what: string, msg: string | undefined): void {
  if (!condition) throw new AssertionError(msg ? `${what}: ${msg}` : what);
}

/** Throws unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Throws unless the two values are deeply equal, showing where they differ. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(`Values are not equal${msg ? `: ${msg}` : ""}\n${difference(actual, expected)}`);
}

/** Throws when the two values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  check(!equal(actual, expected), `Expected a value other than ${show(expected)}`, msg);
}

/** Throws unless |actual − expected| ≤ tolerance (by default 1e-7 of |expected|); NaN equals only NaN. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected) * 1e-7 : 1e-7);
  const delta = Math.abs(expected - actual);
  check(
    delta <= allowed,
    `Expected ${actual} to be within ${allowed} of ${expected}, but the difference is ${delta}`,
    msg,
  );
}

/** Throws unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  check(actual.includes(expected), `Expected ${show(actual)} to contain ${show(expected)}`, msg);
}

/** Throws unless `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  check(expected.test(actual), `Expected ${show(actual)} to match ${expected}`, msg);
}

/** Throws unless `error` is an Error of the class given whose message contains the text given. */
function assertIsError<E extends Error = Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) throw new AssertionError(`Expected an Error, found ${show(error)}`);
  if (errorClass) {
    check(
      error instanceof errorClass,
      `Expected a ${errorClass.name}, found ${error.name}: ${error.message}`,
      msg,
    );
  }
  if (typeof msgMatches === "string") {
    const wanted = `Expected an error message with ${show(msgMatches)}, found ${show(error.message)}`;
    check(error.message.includes(msgMatches), wanted, msg);
  }
  if (msgMatches instanceof RegExp) assertMatch(error.message, msgMatches, msg);
}

/** Throws unless `fn` throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Throws unless `fn` throws an error of the class given with the text given; returns that error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClassOrMsg?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const wanted = expectation(errorClassOrMsg, msgIncludes, msg);
  let thrown: { value: unknown } | undefined;
  try {
    fn();
  } catch (error) {
    thrown = { value: error };
  }
  return checkThrown(thrown, "function to throw", wanted);
}

/** Rejects unless the promise that `fn` returns rejects; resolves to what it rejected with. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Rejects unless `fn`'s promise rejects with an error of the class and text given; resolves to that error. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClassOrMsg?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const wanted = expectation(errorClassOrMsg, msgIncludes, msg);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    const found = error instanceof Error ? `${error.name}: ${error.message}` : show(error);
    throw new AssertionError(`Function threw when expected to reject: ${found}`, { cause: error });
  }
  let rejected: { value: unknown } | undefined;
  try {
    await promise;
  } catch (error) {
    rejected = { value: error };
  }
  return checkThrown(rejected, "function to reject", wanted);
}

interface Expectation<E extends Error> {
  errorClass?: ErrorClass<E>;
  msgIncludes?: string;
  msg?: string;
}

function expectation<E extends Error>(
  errorClassOrMsg: ErrorClass<E> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): Expectation<E> {
  return typeof errorClassOrMsg === "string"
    ? { msg: errorClassOrMsg }
    : { errorClass: errorClassOrMsg, msgIncludes, msg };
}

function checkThrown<E extends Error>(
  thrown: { value: unknown } | undefined,
  what: string,
  { errorClass, msgIncludes, msg }: Expectation<E>,
): unknown {
  if (!thrown) throw new AssertionError(msg ? `Expected ${what}: ${msg}` : `Expected ${what}.`);
  if (errorClass) assertIsError(thrown.value, errorClass, msgIncludes, msg);
  return thrown.value;
}
