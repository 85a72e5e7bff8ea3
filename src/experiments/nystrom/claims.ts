/** The claim of the experiment `nystrom`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Claim } from "../../report/results.ts";
import { signFlipEffect, weakest } from "../../statistics/effect.ts";
import { mean } from "../../statistics/summary.ts";
import { cellOf, claimOf } from "../shared/claim_cells.ts";
import type { AuditRow, NystromAudit } from "./compute.ts";

/** What a row is called in tables. */
export function nameOf({ method, landmarks, neighbors, sampling }: AuditRow): string {
  if (method === "gradient") return "mini-batch gradient";
  if (method === "fowlkes") return `Fowlkes, m ${landmarks}`;
  return `m ${landmarks}, K ${neighbors}, ${sampling}`;
}

/** The paper: faster than Fowlkes at the cost of orthogonality, made up for by more landmarks. */
export function landmarkClaim(
  { compared: { nystrom, fowlkes, draws }, components }: Pick<NystromAudit, "compared" | "components">,
): Claim {
  const of = (method: "nystrom" | "fowlkes", what: "angle" | "seconds") =>
    draws.map((draw) => draw[method][what]);
  const say = (row: AuditRow, method: "nystrom" | "fowlkes") =>
    `${nameOf(row)}: ${formatNumber(mean(of(method, "angle")), 1)}° in ${
      formatNumber(mean(of(method, "seconds")), 1)
    } s`;
  const middle = Math.floor(components / 2) + 1, model = `${nameOf(nystrom)} and ${nameOf(fowlkes)}`;
  const gains = draws.map((draw) => draw.fowlkes.angle - draw.nystrom.angle);
  // A clock decides the one, nothing but the seed the other.
  const speed = draws.map((draw) => Math.log2(draw.fowlkes.seconds / draw.nystrom.seconds));
  const { part, unit, ...effect } = weakest([
    { part: "accuracy", unit: "degrees", ...signFlipEffect(gains, 0) },
    { part: "time", unit: "doublings of speed", ...signFlipEffect(speed, 0) },
  ]);
  return claimOf({
    id: "more-landmarks-instead-of-orthogonalisation",
    paper:
      "with more landmarks than Fowlkes' method the K-nearest-neighbour propagation gives expressive eigenvectors in less time",
    measured:
      `largest angle of the first ${middle} components to the exact ones, mean of ${draws.length} draws of landmarks: ${
        say(nystrom, "nystrom")
      }; ${say(fowlkes, "fowlkes")}`,
    statistic:
      "Fowlkes' angle minus the propagation's, and log2 of Fowlkes' wall time over the propagation's; both have to be above 0, and the row is the one with the larger p; units are draws of the landmarks, all patterns of signs",
    cells: [cellOf({ model, setting: part, unit }, effect)],
  });
}
