/** The claims of the experiment `segmentation`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Cell, Claim } from "../../report/results.ts";
import { weakest } from "../../statistics/effect.ts";
import { cellOf, claimOf, CONSTRAINT_CLAIM } from "../shared/claim_cells.ts";
import {
  type AlignedScore,
  type GraphSegmentation,
  type Kind,
  KINDS,
  type ModelSegmentation,
  nearPaper,
  ORDER_RULE,
  type Segmentation,
} from "./compute.ts";

/** Kinds in sentences. */
export const WORDS: Record<Kind, string> = { figure_ground: "figure-ground", category: "category" };

/** Layers that the paper reports of CLIP, of twelve (its Figure 5, on photographs). */
const PAPER = { figureGround: 4, category: [9, 10] }, PAPER_DEPTH = 12;

/** All claims of the experiment. */
export function segmentationClaims(found: Segmentation): Claim[] {
  return [orderClaim(found), constraintClaim(found), lossClaim(found)];
}

/** Tested as an order in every model, and by its numbers in CLIP. */
function orderClaim({ single, joint }: Pick<Segmentation, "single" | "joint">): Claim {
  const cells = [
    ...single.models.map((model) => orderCell(model, "own graphs")),
    ...joint.models.map((model) => orderCell(model, "one graph")),
    paperCell(single),
  ];
  const say = ({ model, order: { reached, peak } }: ModelSegmentation) =>
    `${model} ${reached.figure_ground.layer} and ${reached.category.layer} (peaks of ${
      formatNumber(peak.figure_ground.value, 2)
    } and ${formatNumber(peak.category.value, 2)})`;
  return claimOf({
    id: "figure-ground-before-category",
    paper:
      "CLIP: figure-ground mIoU peaks at layer 4 (0.6) and stays; category mIoU is 0.2 at layer 4 and peaks at layers 9 and 10 (0.5)",
    measured: `figure-ground and category reach 95 % of their peaks, in each layer's own graph, at layers ${
      single.models.map(say).join(", ")
    }`,
    statistic:
      `units are images, bootstrapped; three things have to hold, and each row is the one with the largest p: categories come later, figure-ground keeps ${
        100 * ORDER_RULE.kept
      } % of its peak from its layer on, and its peak is above that of color and position`,
    cells,
  });
}

function orderCell(
  { model, order: { earlier, stays, beyondBaseline } }: ModelSegmentation,
  graph: string,
): Cell {
  const { part, unit, ...effect } = weakest([
    { part: "comes earlier", unit: "layers", ...earlier },
    { part: "stays", unit: "of the peak", ...stays },
    { part: "beats color and position", unit: "of mIoU", ...beyondBaseline },
  ]);
  return cellOf({ model, setting: `${graph}: ${part}`, unit }, effect);
}

function paperCell({ models, images }: GraphSegmentation): Cell {
  const clip = models.find(({ model }) => model.toUpperCase().includes("CLIP"));
  const depth = clip?.scores.category.at(-1)?.layer ?? 0;
  const place = {
    model: clip?.model ?? "CLIP",
    setting: "the paper's layers",
    unit: "layers nearer than two",
  };
  if (!clip) return cellOf(place, undefined, "there is no CLIP among the models");
  if (depth !== PAPER_DEPTH) {
    return cellOf(place, undefined, `it has ${depth} layers, the paper's ${PAPER_DEPTH}`);
  }
  return cellOf(place, nearPaper(clip.scores, PAPER, images));
}

/** Whether the eigen-constraint helps. */
function constraintClaim(
  { aligned, constraint }: Pick<Segmentation, "aligned" | "constraint">,
): Claim {
  return claimOf({
    id: "eigen-constraint-raises-segmentation-after-align",
    paper: CONSTRAINT_CLAIM,
    measured:
      `mean mIoU over ${aligned.length} layers of all models, with the constraint, without and before alignment: ${
        KINDS.map((kind) =>
          `${WORDS[kind]} ${meanText(aligned, (own) => own.aligned[kind].value)}, ${
            meanText(aligned, (own) => own.noConstraint[kind].value)
          } and ${meanText(aligned, (own) => own.before[kind].value)}`
        ).join("; ")
      }`,
    statistic: "mIoU with minus without, one training of each; units are images, bootstrapped",
    cells: KINDS.map((kind) =>
      cellOf({ model: "all models", setting: WORDS[kind], unit: "of mIoU" }, constraint[kind])
    ),
  });
}

/** Whether alignment costs segmentation. */
function lossClaim({ aligned, loss }: Pick<Segmentation, "aligned" | "loss">): Claim {
  return claimOf({
    id: "align-lowers-segmentation",
    paper:
      "a small drop of segmentation after alignment remains, also with the eigen-constraint (Limitations)",
    measured: `mean mIoU over ${aligned.length} layers of all models, before alignment and after: ${
      KINDS.map((kind) =>
        `${WORDS[kind]} ${meanText(aligned, (own) => own.before[kind].value)} and ${
          meanText(aligned, (own) => own.aligned[kind].value)
        }`
      ).join("; ")
    }`,
    statistic: "mIoU before minus after; units are images, bootstrapped",
    cells: KINDS.map((kind) =>
      cellOf({ model: "all models", setting: WORDS[kind], unit: "of mIoU" }, loss[kind])
    ),
  });
}

function meanText(scores: AlignedScore[], of: (score: AlignedScore) => number): string {
  return formatNumber(scores.reduce((sum, score) => sum + of(score), 0) / scores.length, 3);
}
