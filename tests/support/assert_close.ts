/** Comparison of arrays by relative error. */
import { AssertionError } from "@std/assert";

/** How far two arrays may be apart. */
export interface Closeness {
  /** Largest |actual − expected| allowed, as a share of `scale`. */
  relative: number;
  /** What errors are measured by; default the largest |expected|, which cancellation can make too small for sums. */
  scale?: number;
  /** Largest |actual − expected| allowed whatever the scale; default 0. */
  absolute?: number;
  /** Added to the message, as the seed of the inputs. */
  note?: string;
}

/** Fails, naming the worst entry, unless all entries are close; NaN is never close. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative, scale = largest(expected), absolute = 0, note }: Closeness,
): void {
  if (actual.length !== expected.length) {
    throw new AssertionError(`${actual.length} values, expected ${expected.length}`);
  }
  let worst = -1, error = -1;
  for (let i = 0; i < actual.length; i++) {
    const e = Math.abs(actual[i] - expected[i]);
    if (!(e <= error)) [worst, error] = [i, Number.isNaN(e) ? Infinity : e];
    if (error === Infinity) break;
  }
  if (!(error <= Math.max(relative * scale, absolute))) {
    throw new AssertionError(
      `entry ${worst} is ${actual[worst]}, expected ${expected[worst]}: relative error ${
        error / scale
      }, allowed ${relative}${note ? ` (${note})` : ""}`,
    );
  }
}

function largest(values: ArrayLike<number>): number {
  let scale = 0;
  for (let i = 0; i < values.length; i++) scale = Math.max(scale, Math.abs(values[i]));
  return scale;
}
