/** Ratios of times on one machine: they survive a change of machine, times do not. */

/** Ratios by name, as `ratios.json` holds them for each kind of adapter. */
export type Ratios = Record<string, number>;

/** A ratio that has grown. */
export interface Regression {
  name: string;
  expected: number;
  found: number;
}

/** Share by which a ratio may exceed the committed one. */
export const TOLERANCE = 0.25;

/** The ratios, all "smaller is better", that exceed the committed ones by more than 25 %; unknown ones pass. */
export function regressions(expected: Ratios, found: Ratios): Regression[] {
  return Object.entries(found)
    .filter(([name, value]) => name in expected && !(value <= (1 + TOLERANCE) * expected[name]))
    .map(([name, value]) => ({ name, expected: expected[name], found: value }));
}

/** One line; an annotation where GitHub reads it. */
export function warning({ name, expected, found }: Regression, onGithub: boolean): string {
  const more = (100 * (found / expected - 1)).toFixed(0);
  return `${onGithub ? "::warning::" : "warning: "}${name} is ${
    found.toPrecision(3)
  }, ${more} % above the committed ${
    expected.toPrecision(3)
  }: something became slower, or commit new ratios (./run bench --check --update).`;
}
