/** The claims of the experiment `concepts`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Claim } from "../../report/results.ts";
import { cellOf, claimOf } from "../shared/claim_cells.ts";
import { type Concepts, RULES } from "./compute.ts";

/** Concepts below which no parabola is tested. */
const MIN_CONCEPTS = 8;

/** Whether strong concepts vary less, and whether concepts are of one category. */
export function conceptClaims({ shape, parabola, purity, concepts, rois, model, layer }: Concepts): Claim[] {
  const where = { model, setting: `layer ${layer}` }, enough = concepts.length >= MIN_CONCEPTS;
  const why = `${concepts.length} concepts, needs ${MIN_CONCEPTS}`;
  return [
    claimOf({
      id: "stronger-concepts-are-more-consistent",
      paper: "mean activation against its standard deviation over concepts is a reversed U",
      measured: `the parabola's quadratic term is ${
        formatNumber(parabola.quadratic, 3)
      }; a reversed U has one below 0`,
      statistic:
        `minus the quadratic term of the least-squares parabola of standard deviation on mean, ${concepts.length} concepts × ${rois.length} regions; units are concepts; p is the larger of two: all means of one concept exchanged with another's ${RULES.resamples} times, and bootstrapped concepts`,
      cells: [
        cellOf(
          { ...where, unit: "per standard deviation" },
          enough ? shape : undefined,
          enough ? undefined : why,
        ),
      ],
    }),
    claimOf({
      id: "concepts-are-of-a-category",
      paper: "concepts of CLIP's layer 9 are specific to categories (duck and goose; snake and turtle; dog)",
      measured: purity
        ? `the commonest category has ${
          formatNumber(100 * purity.mean, 0)
        } % of a concept's figure patches on average, and ${
          formatNumber(100 * (purity.mean - purity.effect), 0)
        } % by chance`
        : "no concept has enough figure patches",
      statistic: `mean over ${
        purity?.concepts ?? 0
      } concepts with ${RULES.patches} figure patches or more, minus that by chance; units are images, whose categories were exchanged ${RULES.resamples} times; the interval subtracts the middle 95 % of these`,
      cells: [
        cellOf(
          { ...where, unit: "of the patches" },
          purity ?? undefined,
          purity ? undefined : "no known categories",
        ),
      ],
    }),
  ];
}
