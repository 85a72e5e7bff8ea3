/** The claim of the experiment `trajectories`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Claim } from "../../report/results.ts";
import { cellOf, claimOf, SHOWN_P } from "../shared/claim_cells.ts";
import type { ModelTrajectory, Trajectories } from "./compute.ts";

/** Models that the paper names, and the layer from which on it sees figure and ground apart. */
const PAPER = [{ name: "CLIP", layer: 4 }, { name: "DINO", layer: 5 }];

/** Whether figure and ground part at one layer of each model. */
export function partingClaim({ models }: Pick<Trajectories, "models">): Claim {
  return claimOf({
    id: "figure-and-ground-part",
    paper:
      "the trajectories of figure and ground bifurcate at one layer: in CLIP from 3 to 4, in DINO from 4 to 5",
    measured: `the largest step up: ${models.map(whereOf).join("; ")}`,
    statistic:
      "step of A over the layers; units are images; p is the largest of four: such a step in shuffled layers, a straight line fitting as well and a step more than a layer away (both in bootstrapped images), and A from the step on against place alone (signs flipped)",
    cells: models.map(({ model, parting, step }) =>
      cellOf(
        { model, setting: step.at > 0 ? `layer ${step.layer}` : undefined, unit: "of A" },
        parting,
        reasonOf(step),
      )
    ),
  });
}

function whereOf({ model, step, layers }: ModelTrajectory): string {
  if (step.at === 0) return `${model} none`;
  const paper = PAPER.find(({ name }) => model.toUpperCase().includes(name));
  return `${model} from layer ${step.layer - 1} to ${step.layer} of ${layers.at(-1)!.layer}${
    paper ? ` (the paper's ${paper.name}, a larger model: to ${paper.layer})` : ""
  }, chosen by ${formatNumber(100 * step.stability, 0)} % of bootstrapped images`;
}

/** What of the rule fails, place apart. */
function reasonOf({ at, p, lineP, movedP }: ModelTrajectory["step"]): string | undefined {
  if (at === 0) return "no later layer separates better";
  const reasons = [
    p > SHOWN_P && "chance makes such a step",
    lineP > SHOWN_P && `the rise may be gradual, p ${formatNumber(lineP, 3)}`,
    movedP > SHOWN_P && `resampled images choose other layers, p ${formatNumber(movedP, 3)}`,
  ].filter((reason) => reason !== false);
  return reasons.join(", ") || undefined;
}
