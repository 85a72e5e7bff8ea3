/** Runs test files in a page: as much of `Deno` as they use, and what came of each test. */

/** What came of one test. */
export interface PageResult {
  file: string;
  test: string;
  milliseconds: number;
  /** "ok", "ignored", or the error's text. */
  result: string;
}

/** What a test is handed: steps run in place. */
interface Steps {
  step(name: string, fn: (t: Steps) => unknown): Promise<boolean>;
}

/** A test as `Deno.test` takes it. */
interface Test {
  name: string;
  fn: (t: Steps) => unknown;
  ignore?: boolean;
}

const tests: Test[] = [], after: (() => unknown)[] = [];

const STEPS: Steps = {
  async step(name, fn) {
    try {
      await fn(STEPS);
    } catch (error) {
      throw new Error(`step "${name}": ${textOf(error)}`);
    }
    return true;
  },
};

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function test(named: string | Test, fn?: Test["fn"]): void {
  tests.push(typeof named === "string" ? { name: named, fn: fn! } : named);
}
test.afterAll = (fn: () => unknown) => after.push(fn);

/** Stands in for `Deno` where there is none. @param env variables by name */
export function standIn(env: Record<string, string>): void {
  (globalThis as { Deno?: unknown }).Deno ??= { test, env: { get: (name: string) => env[name] } };
}

async function resultOf({ fn, ignore }: Test): Promise<string> {
  if (ignore) return "ignored";
  try {
    await fn(STEPS);
    return "ok";
  } catch (error) {
    return textOf(error);
  }
}

/**
 * Runs a file's tests, one after the other.
 *
 * @param only texts of which a test's name must hold one; none: all tests
 */
export async function runFile(
  file: string,
  load: () => Promise<unknown>,
  only: readonly string[],
): Promise<PageResult[]> {
  const loaded = await resultOf({ name: file, fn: load });
  const results: PageResult[] = loaded === "ok"
    ? []
    : [{ file, test: "(the file)", milliseconds: 0, result: loaded }];
  for (const each of tests.splice(0)) {
    if (only.length > 0 && !only.some((text) => each.name.includes(text))) continue;
    const started = performance.now(), result = await resultOf(each);
    results.push({ file, test: each.name, milliseconds: Math.round(performance.now() - started), result });
  }
  for (const fn of after.splice(0)) await fn();
  return results;
}
