/** The claims of the experiment `figure-ground`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Cell, Claim } from "../../report/results.ts";
import { type Effect, weakest } from "../../statistics/effect.ts";
import { cellOf, claimOf, modelsWith } from "../shared/claim_cells.ts";
import { FIGURE_LESS, FIGURE_MORE } from "./compute.ts";
import type { FigureGround, ModelFigureGround, RegionActivation } from "./results.ts";

/** All claims of the experiment. */
export function figureGroundClaims(found: FigureGround): Claim[] {
  return [
    regionClaim(found),
    ...found.pairs.length > 0 ? [patternClaim(found)] : [],
    pixelClaim(found, "figure"),
    pixelClaim(found, "ground"),
    ...found.maps || found.across ? [alignmentClaim(found)] : [],
  ];
}

/** Whether figure and ground activate the regions as the paper says. */
function regionClaim({ models, images }: Pick<FigureGround, "models" | "images">): Claim {
  const cells = models.flatMap((own) => [
    regionCell(own.regions, images.length, { model: own.model, setting: `layer ${own.layer}` }),
    regionCell(own.whole, images.length, {
      model: own.model,
      setting: `sum of its ${own.layers.length} layers`,
    }),
  ]);
  return claimOf({
    id: "figure-activates-early-and-face-regions",
    paper:
      "figure activates V1 to V4 and FFA, and OPA and PPA negatively; ground does the reverse, in CLIP, DINO and MAE",
    measured: `all eight regions are as the paper has them in: ${modelsWith(cells, "shown")}`,
    statistic:
      `activation by figure minus that by ground, in V1 to V4, OFA and FFA, and ground minus figure in ${
        FIGURE_LESS.join(" and ")
      }; units are images, whose signs were flipped region by region; all eight have to hold, so that each row is the region with the largest p`,
    cells,
  });
}

function regionCell(regions: RegionActivation[], n: number, place: Pick<Cell, "model" | "setting">): Cell {
  const expected = [...FIGURE_MORE, ...FIGURE_LESS], tested = regions.filter((own) => own.expected !== 0);
  const unit = "standard deviations of a voxel", missing = expected.length - tested.length;
  if (missing > 0) {
    return cellOf({ ...place, unit }, undefined, `the subject lacks ${missing} of the regions`);
  }
  const found = weakest(tested.map(({ roi, expected, difference: { value, interval }, p }) => {
    const [low, high] = interval.map((end) => expected * end).sort((a, b) => a - b);
    return { roi, effect: expected * value, low, high, p: p!, n, ...(n < 7 && { exact: true as const }) };
  }));
  const { roi, ...effect } = found;
  const reverse = tested.filter(({ expected, difference: { value } }) => expected * value < 0);
  return cellOf(
    { ...place, setting: `${place.setting}: ${roi}`, unit },
    effect,
    reverse.length > 0 ? `the reverse in ${reverse.map((own) => own.roi).join(", ")}` : undefined,
  );
}

/** Whether models agree on the regions. */
function patternClaim({ pairs, rois }: Pick<FigureGround, "pairs" | "rois">): Claim {
  const unit = "Pearson r";
  return claimOf({
    id: "models-agree-on-regions",
    paper: "figure and ground activate similar regions in the three models",
    measured: `r of two models over ${rois.length} regions: ${
      pairs.map(({ models, agreement }) => `${models.join(" and ")} ${formatNumber(agreement.effect, 2)}`)
        .join(", ")
    }`,
    statistic:
      "Pearson's r of figure minus ground over the regions; units are images: interval over bootstrapped images, p by exchanging figure and ground in random images of one model, of the covariance",
    cells: pairs.map(({ models, agreement }) => cellOf({ model: models.join(" and "), unit }, agreement)),
  });
}

/** Whether one pixel finds the like in other images. */
function pixelClaim(
  { models, queries, place }: Pick<FigureGround, "models" | "queries" | "place">,
  kind: "figure" | "ground",
): Claim {
  const say = ({ model, [kind]: { area } }: ModelFigureGround) => `${model} ${formatNumber(area.value, 3)}`;
  return claimOf({
    id: `one-${kind}-pixel-finds-${kind}`,
    paper: kind === "figure"
      ? "one pixel on a person is similar to the foreground of images of all other classes"
      : "the same holds for one background pixel and the background",
    measured: `A in images of other categories, mean of ${queries[kind].length} pixels: ${
      models.map(say).join(", ")
    }; place alone ${formatNumber(place[kind], 3)}`,
    statistic:
      "A, the area under the curve, minus the better of two that know place alone: nearness to the pixel's place (one half where that does worse), and the same similarities with the masks of other images; units are images, whose signs were flipped",
    cells: models.map(({ model, layer, [kind]: { beyondPlace } }) =>
      cellOf({ model, setting: `layer ${layer}`, unit: "of A" }, beyondPlace)
    ),
  });
}

/** What alignment changes. */
function alignmentClaim({ maps, across }: Pick<FigureGround, "maps" | "across">): Claim {
  const cell = (setting: string, unit: string, gain: Effect) =>
    cellOf({ model: "all models", setting, unit }, gain);
  const say = (what: string, found: FigureGround["maps"]) =>
    found
      ? [`${what} ${formatNumber(found.aligned, 3)} aligned, ${formatNumber(found.raw, 3)} unaligned`]
      : [];
  return claimOf({
    id: "aligned-models-agree-on-figure",
    paper: "the figure-ground concept is consistent across models, once their channels are aligned",
    measured: [
      ...say("r of two models' similarity maps of one pixel is", maps),
      ...say("A of a figure pixel of one model among the patches of another is", across),
    ].join("; "),
    statistic: "aligned minus unaligned; units are images, whose signs were flipped",
    cells: [
      ...maps ? [cell("similarity maps of one pixel", "of r", maps.gain)] : [],
      ...across ? [cell("a figure pixel of another model", "of A", across.gain)] : [],
    ],
  });
}
