/** The claims of the experiment `brain-score`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Cell, Claim } from "../../report/results.ts";
import { type Effect, signFlipEffect } from "../../statistics/effect.ts";
import { mean } from "../../statistics/summary.ts";
import { cellOf, claimOf, CONSTRAINT_CLAIM } from "../shared/claim_cells.ts";
import { alignName } from "./align_effect.ts";
import type { BrainScoreReport } from "./results.ts";

/** How alignments are called. */
const ALIGNMENTS: Record<string, string> = { paper: "trained as in the paper", ridge: "ridge alignment" };

/** All claims of the experiment that its data allow. */
export function brainScoreClaims(
  report: Pick<BrainScoreReport, "conditions" | "effects" | "mixed">,
): Claim[] {
  const { mixed, effects } = report;
  return [
    scoreClaim(report),
    ...effects ? [clusterClaim(effects), segmentationClaim(effects)] : [],
    ...mixed ? [mixedClaim(mixed)] : [],
  ];
}

/** Whether the eigen-constraint raises the score: one difference a training. */
function scoreClaim({ conditions }: Pick<BrainScoreReport, "conditions">): Claim {
  const [without, withOne] = [conditions[0], conditions.at(-1)!].map(({ scores }) =>
    scores.map(({ r }) => r)
  );
  return claimOf({
    id: "eigen-constraint-raises-brain-score",
    paper: "mean r over all voxels 0.188 without the eigen-constraint, 0.196 with weight 1",
    measured: `mean r is ${formatNumber(mean(without), 4)} without, ${
      formatNumber(mean(withOne), 4)
    } with weight 1`,
    statistic: statisticOf("mean r over all voxels with weight 1 minus without"),
    cells: [trainingCell("of r", "all voxels", signFlipEffect(withOne.map((r, i) => r - without[i]), 0))],
  });
}

type Effects = NonNullable<BrainScoreReport["effects"]>;

/** Whether the eigen-constraint keeps the eigenvectors: one difference a training, mean over layers and models. */
function clusterClaim(effects: Effects): Claim {
  const { with: held, without } = byTraining(effects, "overlap");
  return claimOf({
    id: "eigen-constraint-keeps-clusters",
    paper: "with the eigen-constraint, eigenvectors after alignment stay closer to those before it",
    measured: `mean squared cosine to the subspace before alignment ${formatNumber(mean(held), 3)} with, ${
      formatNumber(mean(without), 3)
    } without`,
    statistic: statisticOf(
      `mean squared cosine, mean over ${effects.length} layers of all models, with minus without`,
    ),
    cells: [
      trainingCell("of cos²", "all layers", signFlipEffect(held.map((value, i) => value - without[i]), 0)),
    ],
  });
}

/** Whether the eigen-constraint helps segmentation, of several trainings; the page segmentation has one, and categories. */
function segmentationClaim(effects: Effects): Claim {
  const { with: held, without } = byTraining(effects, "miou");
  return claimOf({
    id: "eigen-constraint-raises-segmentation-after-align",
    paper: CONSTRAINT_CLAIM,
    measured: `figure-ground mIoU before alignment ${
      formatNumber(mean(effects.map(({ before }) => before)), 3)
    }, after ${formatNumber(mean(held), 3)} with the constraint, ${formatNumber(mean(without), 3)} without`,
    statistic: statisticOf(`mIoU, mean over ${effects.length} layers of all models, with minus without`),
    cells: [
      trainingCell(
        "of mIoU",
        "figure-ground, by trainings",
        signFlipEffect(held.map((v, i) => v - without[i]), 0),
      ),
    ],
  });
}

function statisticOf(what: string): string {
  return `${what}; units are trainings, paired by their seeds, all patterns of signs`;
}

function trainingCell(unit: string, setting: string, found: Effect): Cell {
  return cellOf(
    { model: "all models", setting, unit },
    found,
    found.n < 5 ? `${found.n} trainings, needs 5` : undefined,
  );
}

/** Means over layers and models, one a training. */
function byTraining(effects: Effects, of: "overlap" | "miou"): { with: number[]; without: number[] } {
  const means = (isHeld: boolean) => {
    const found: number[] = [];
    while (alignName(isHeld, found.length) in effects[0].after) {
      found.push(mean(effects.map(({ after }) => after[alignName(isHeld, found.length)][of])));
    }
    return found;
  };
  return { with: means(true), without: means(false) };
}

/** Whether channels of different models mean the same after alignment. */
function mixedClaim(mixed: NonNullable<BrainScoreReport["mixed"]>): Claim {
  const parts = Object.entries(mixed).map(([name, found]) => ({ how: ALIGNMENTS[name] ?? name, ...found }));
  const percent = (share: number) => `${formatNumber(100 * share, 1)} %`;
  const [{ before, chance }] = parts;
  return claimOf({
    id: "models-agree-after-align",
    paper: "after alignment, equal channels of different models mean the same",
    measured: `nearest nodes across models agree on the category in ${
      parts.map(({ how, after }) => `${percent(after)} (${how})`).join(", ")
    }, ${before === undefined ? "" : `${percent(before)} before alignment, `}${percent(chance)} by chance`,
    statistic:
      "share that agrees, minus the larger of that before alignment and chance; units are images, whose signs were flipped",
    cells: parts.map(({ how, gain }) =>
      cellOf({ model: "all models", setting: how, unit: "of nodes" }, gain)
    ),
  });
}
