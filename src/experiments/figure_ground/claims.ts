/** The claims of the experiment `figure-ground`. */
import { formatNumber } from "../../report/blocks.ts";
import type { Claim } from "../../report/results.ts";
import { FIGURE_LESS, FIGURE_MORE, P, regionsP } from "./compute.ts";
import type { AlignEffect, FigureGround, ModelFigureGround, RegionActivation } from "./results.ts";

/** Whether figure and ground activate the regions as the paper says. */
export function regionClaim(
  { model, layer, layers, regions, whole }: ModelFigureGround,
  { images }: FigureGround,
  where: "layer" | "model",
): Claim {
  const tested = (where === "layer" ? regions : whole).filter(({ expected }) => expected !== 0);
  const named = (of: (region: RegionActivation) => boolean) =>
    tested.filter(of).map(({ roi }) => roi).join(", ");
  const holds = ({ p }: RegionActivation) => p! <= P;
  const reverse = ({ expected, difference }: RegionActivation) => expected * difference.value < 0;
  const missing = [
    [named((region) => !holds(region) && !reverse(region)), "not surely so in"],
    [named(reverse), "the reverse in"],
  ].filter(([names]) => names !== "");
  const common = {
    id: `figure-activates-early-and-face-regions-in-${slug(model)}${where === "model" ? "-all-layers" : ""}`,
    paper:
      "figure activates V1 to V4 and FFA, and OPA and PPA negatively; ground does the reverse, in CLIP, DINO and MAE",
    n: images.length,
  };
  if (tested.length < FIGURE_MORE.length + FIGURE_LESS.length) {
    return {
      ...common,
      measured: `the subject lacks some of ${[...FIGURE_MORE, ...FIGURE_LESS].join(", ")}`,
      statistic: "none",
      verdict: "not testable",
    };
  }
  const at = where === "layer" ? `${model} L${layer}` : `${model}, sum of its ${layers.length} layers`;
  return {
    ...common,
    measured: `${at}: figure is above ground in ${
      named((region) => holds(region) && region.expected === 1) || "no region"
    }, below it in ${named((region) => holds(region) && region.expected === -1) || "no region"}${
      missing.map(([names, how]) => `; ${how} ${names}`).join("")
    }`,
    statistic:
      `sign-flip tests over images of figure less ground: V1 to V4, OFA and FFA above 0, OPA and PPA below; all eight have to hold with p ≤ ${P}, so that the largest p counts and nothing is to be corrected; ${
        tested.map(({ roi, difference: { value } }) => `${roi} ${formatNumber(value, 3)}`).join(", ")
      }`,
    p: regionsP(tested),
    verdict: verdictOf(tested.every(holds), images.length),
  };
}

/** With n images flipping signs gives no p below 2⁻ⁿ: with few of them nothing could be shown. */
function verdictOf(isShown: boolean, images: number): Claim["verdict"] {
  return 2 ** -images > P ? "not testable" : isShown ? "shown" : "not shown";
}

/** Whether models agree on the regions. */
export function patternClaim({ pairs, rois }: FigureGround): Claim {
  const p = Math.max(...pairs.map((pair) => pair.p));
  return {
    id: "models-agree-on-regions",
    paper: "figure and ground activate similar regions in the three models",
    measured: pairs.map(({ models, r }) =>
      `${models.join(" and ")}: r = ${formatNumber(r.value, 2)} (95 % interval ${
        formatNumber(r.interval[0], 2)
      } to ${formatNumber(r.interval[1], 2)})`
    ).join("; "),
    statistic:
      `Pearson's r of figure less ground over the regions; regions of one model permuted; every pair has to hold with p ≤ ${P}, the largest p counts; intervals over bootstrapped images`,
    n: rois.length,
    p,
    verdict: p <= P ? "shown" : "not shown",
  };
}

/** Whether one pixel finds the like in other images. */
export function pixelClaim(own: ModelFigureGround, found: FigureGround, kind: "figure" | "ground"): Claim {
  const { model, layer, [kind]: { area, p, range } } = own;
  const shown = p <= P && area.interval[0] > 0.5;
  return {
    id: `one-${kind}-pixel-finds-${kind}-in-${slug(model)}`,
    paper: kind === "figure"
      ? "one pixel on a person is similar to the foreground of images of all other classes"
      : "the same holds for one background pixel and the background",
    measured: `${model} L${layer}: A = ${
      formatNumber(area.value, 3)
    } in images of other categories, mean of ${found.queries[kind].length} pixels (single pixels ${
      formatNumber(range[0], 2)
    } to ${formatNumber(range[1], 2)}); place alone ${formatNumber(found.place[kind], 3)}${
      area.interval[0] > 0.5 && p > P ? "; better than chance, not better than place" : ""
    }`,
    statistic: `95 % interval over bootstrapped images ${formatNumber(area.interval[0], 3)} to ${
      formatNumber(area.interval[1], 3)
    }; sign-flip test over images of A less that of nearness to the pixel's place; shown when p ≤ ${P} and the interval is above one half`,
    n: found.images.length,
    p,
    verdict: verdictOf(shown, found.images.length),
  };
}

/** What alignment changes. */
export function effectClaims({ maps, across }: FigureGround): Claim[] {
  const claim = (id: string, paper: string, what: string, effect: AlignEffect): Claim => ({
    id,
    paper,
    measured: `${what}: ${formatNumber(effect.aligned, 3)} aligned, ${formatNumber(effect.raw, 3)} unaligned`,
    statistic: "one-sided sign-flip test over images of aligned less unaligned",
    n: effect.images,
    p: effect.p,
    verdict: verdictOf(effect.p <= P, effect.images),
  });
  const paper = "the figure-ground concept is consistent across models, once their channels are aligned";
  return [
    ...maps
      ? [
        claim(
          "models-agree-on-similarity",
          paper,
          "r of two models' similarity maps of the same pixel",
          maps,
        ),
      ]
      : [],
    ...across
      ? [claim(
        "a-pixel-of-one-model-finds-figure-in-another",
        paper,
        "A of a figure pixel of one model among the patches of another, images of other categories",
        across,
      )]
      : [],
  ];
}

function slug(model: string): string {
  return model.replace(/[^\w]|_/g, "-");
}
