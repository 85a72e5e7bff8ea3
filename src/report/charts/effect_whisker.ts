/** One effect as a dot with its interval on a line, beside others of the same scale. */
import type { Cell } from "../results.ts";

/** The range that effects of one unit share. */
export interface EffectScale {
  /** At the left end. */
  from: number;
  /** At the right end. */
  to: number;
  /** The largest size of what is drawn. */
  largest: number;
}

/** Size in the drawing's own units. */
const WIDTH = 240, HEIGHT = 22, EDGE = 8;

/**
 * The range of some effects with their intervals and zero.
 *
 * @param cells Those without an effect do not count.
 */
export function effectScale(cells: readonly Pick<Cell, "effect" | "low" | "high">[]): EffectScale {
  const values = cells.flatMap(({ effect, low, high }) => [effect ?? 0, low ?? 0, high ?? 0]);
  const from = Math.min(0, ...values), to = Math.max(0, ...values);
  return from === to ? { from: -1, to: 1, largest: 0 } : { from, to, largest: Math.max(-from, to) };
}

/**
 * A dot at the effect, a line over its interval, and zero as a thin upright line.
 *
 * @param cell With an effect.
 * @param scale Of all cells that it stands beside.
 * @returns SVG in the page's colors.
 */
export function effectWhisker(cell: Cell, { from, to }: EffectScale): string {
  const { effect = 0, low = effect, high = effect, verdict } = cell;
  const x = (value: number) => (EDGE + (WIDTH - 2 * EDGE) * (value - from) / (to - from)).toFixed(1);
  const color = verdict === "shown" ? "var(--good)" : "var(--muted)", middle = HEIGHT / 2;
  const says = `effect ${effect.toPrecision(3)}, interval ${low.toPrecision(3)} to ${high.toPrecision(3)}`;
  return `<svg class="whisker" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${says}">` +
    `<line x1="${x(0)}" x2="${x(0)}" y1="0" y2="${HEIGHT}" stroke="var(--muted)" stroke-dasharray="2 2"/>` +
    `<line x1="${x(low)}" x2="${
      x(high)
    }" y1="${middle}" y2="${middle}" stroke="${color}" stroke-width="2"/>` +
    `<circle cx="${x(effect)}" cy="${middle}" r="4.5" fill="${
      verdict === "shown" ? color : "var(--surface)"
    }" stroke="${color}" stroke-width="2"/></svg>`;
}
