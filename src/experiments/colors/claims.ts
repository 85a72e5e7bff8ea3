/** The claims of the experiment `colors`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Claim } from "../../report/results.ts";
import { cellOf, claimOf, modelsWith } from "../shared/claim_cells.ts";
import type { AlignedColors } from "./compute.ts";

/** What the cells are measured in. */
const UNIT = "of the variance";

/** Whether colors ignore the image first and follow it later, and follow the category in the end. */
export function colorClaims({ models, categories }: AlignedColors): Claim[] {
  const early = models.map(({ model, bounds, early }) =>
    cellOf({ model, setting: `${span(1, bounds.earlyTo)}: place minus image`, unit: UNIT }, early)
  );
  const rise = models.map(({ model, bounds: { earlyTo, lateFrom, last }, rise }) =>
    cellOf({ model, setting: `${span(lateFrom, last)} minus ${span(1, earlyTo)}: image`, unit: UNIT }, rise)
  );
  const late = models.map(({ model, bounds: { categoryFrom, last }, category }) =>
    cellOf(
      { model, setting: span(categoryFrom, last), unit: UNIT },
      category ?? undefined,
      category ? undefined : "two categories are needed, and known masks",
    )
  );
  const share = late.map(({ model, effect }) =>
    effect === undefined ? [] : `${model} ${formatNumber(effect, 3)}`
  );
  return [
    claimOf({
      id: "colors-ignore-the-image-before-layer-3",
      paper: "before layer 3 the color of a patch ignores the image, and follows it later",
      measured: `place explains more of the early colors than the image in: ${
        modelsWith(early.map(({ setting: _, ...cell }) => cell), "shown")
      }; the image's share rises in: ${modelsWith(rise.map(({ setting: _, ...cell }) => cell), "shown")}`,
      statistic:
        "difference of η², the share of the patch colors' variance that groups explain (of the early layers the one with the least); units are images, bootstrapped; p is the share of resamples not above 0",
      cells: [...early, ...rise],
    }),
    claimOf({
      id: "late-layers-group-by-category",
      paper: "late layers give one color a category",
      measured: `category explains more of the variance of the images' figure colors than chance does, by: ${
        share.flat().join(", ") || "not known"
      }`,
      statistic:
        `η² by ${categories} categories of the images' mean figure colors, mean over late layers, minus the mean of 999 permutations of the categories; units are images; the interval subtracts the middle 95 % of the permutations`,
      cells: late,
    }),
  ];
}

/** Layers from one to another, in words. */
function span(from: number, to: number): string {
  return from === to ? `layer ${from}` : `layers ${from}–${to}`;
}
