/** From effects to the cells and verdicts of claims, by one rule for all experiments. */
import { verdictOf } from "../../report/claims.ts";
import type { Cell, Claim } from "../../report/results.ts";
import type { Effect } from "../../statistics/effect.ts";

/** An effect is shown at this p or below. */
export const SHOWN_P = 0.01;
/** With fewer independent units nothing can be tested. */
const MIN_UNITS = 5;

/** A claim that two experiments test. */
export const CONSTRAINT_CLAIM =
  "with the eigen-constraint, segmentation after alignment is better than without (Figure 5)";

/** Where an effect was measured. */
export type Place = Pick<Cell, "model" | "setting" | "unit">;

/**
 * One test of a claim, with the verdict that follows from its p: shown at `SHOWN_P` or below. Five or six units whose signs
 * were flipped in all ways cannot reach that; there it is the least possible p, 2⁻ⁿ, that shows the effect.
 *
 * @param place model, setting and unit
 * @param found absent where nothing could be measured
 * @param note why it could not, or on how few patches it rests
 */
export function cellOf(place: Place, found: Effect | undefined, note?: string): Cell {
  if (found === undefined || found.n < MIN_UNITS) {
    const why = note ?? `needs ${MIN_UNITS} independent units`;
    return { ...place, n: found?.n ?? 0, verdict: "not testable", note: why };
  }
  const { exact, ...numbers } = found, limit = exact ? Math.max(SHOWN_P, 2 ** -found.n) : SHOWN_P;
  return {
    ...place,
    ...numbers,
    verdict: found.p <= limit ? "shown" : "not shown",
    ...(note !== undefined && { note }),
  };
}

/** A claim whose verdict follows from its cells. */
export function claimOf(claim: Omit<Claim, "verdict" | "false_alarm">): Claim {
  return { ...claim, verdict: verdictOf(claim.cells) };
}

/** The models of cells with a verdict, for sentences: "clip and mae", "none". */
export function modelsWith(cells: readonly Cell[], verdict: Cell["verdict"]): string {
  const named = cells.filter((cell) => cell.verdict === verdict)
    .map(({ model, setting }) => setting === undefined ? model : `${model} (${setting})`);
  return named.join(", ") || "none";
}
