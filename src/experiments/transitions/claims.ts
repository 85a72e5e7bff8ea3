/** The claim of the experiment `transitions`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Claim } from "../../report/results.ts";
import { cellOf, claimOf } from "../shared/claim_cells.ts";
import { FEW_PATCHES } from "../shared/patch_labels.ts";
import { type Cell, extremeCells, PERMUTATIONS, type Transitions } from "./compute.ts";

/** Whether figure and ground go different ways. */
export function differenceClaim(
  { model, figure, ground, from, to, shifted, exchanged }: Pick<
    Transitions,
    "model" | "figure" | "ground" | "from" | "to" | "shifted" | "exchanged"
  >,
): Claim {
  const { figureMore, groundMore } = extremeCells(figure, ground, from.centres.length);
  const say = (cell: Cell | null, more: string) =>
    cell
      ? `A${cell.from} to B${cell.to} (figure ${formatNumber(cell.figure, 2)}, ground ${
        formatNumber(cell.ground, 2)
      })`
      : `none with more ${more} in a circle of ${FEW_PATCHES} patches of each`;
  const place = { model, unit: "of Cohen's w" }, layers = `layer ${from.layer} to ${to.layer}`;
  return claimOf({
    id: "transitions-of-figure-and-ground-differ",
    paper:
      "A1 to B0: figure 0.44, ground 0.16; A4 to B4: figure 0.06, ground 0.36 (CLIP, layer 3 to 4; circles on the paper's own map)",
    measured: `the two cells that differ most are ${say(figureMore, "figure")} and ${
      say(groundMore, "ground")
    }`,
    statistic:
      `Cohen's w, √(χ² / patches) of figure against ground summed over the circles A, minus that of masks that are not the image's own; units are images; ${PERMUTATIONS} permutations each, p is the share that reaches it, the interval subtracts their middle 95 %`,
    cells: [
      cellOf({ ...place, setting: `${layers}, masks moved around the image` }, shifted),
      cellOf({ ...place, setting: `${layers}, masks of other images` }, exchanged),
    ],
  });
}
