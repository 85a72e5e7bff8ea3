/** Rows too long for one dispatch of a kernel that takes an invocation a row. */

/** Most vec4 of a row that an invocation looks at, once for every step: Mesa's software adapter silently ends an invocation's loops after 65535 rounds in all. */
export const LONGEST_PART = 2 ** 14;

/** Vec4 `begin` … `end` − 1 of every row, and the steps to take with them. */
type RowsPart = { begin: number; end: number; steps: number };

/**
 * The dispatches of a kernel that goes over its rows in several steps: all steps at once for rows that one invocation can look
 * at as often, else step by step, part by part.
 *
 * @param length vec4 of a row
 * @param steps the kernel's steps in order, a bit each, at most three
 * @returns what the dispatches differ in
 */
export function partsOfRows(length: number, steps: number[]): RowsPart[] {
  if (length <= LONGEST_PART) {
    return [{
      begin: 0,
      end: length,
      steps: steps.reduce((all, step) => all | step),
    }];
  }
  const begins = Array.from({ length: Math.ceil(length / LONGEST_PART) }, (_, part) => part * LONGEST_PART);
  return steps.flatMap((step) =>
    begins.map((begin) => ({ begin, end: Math.min(begin + LONGEST_PART, length), steps: step }))
  );
}
