/** The section of the page brain-score on one space for all layers. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import type { Html } from "../../report/html.ts";
import type { Universality } from "./universality.ts";
import { layersApartLine } from "../../pipeline/layers_apart.ts";
import { agreementSection } from "./agreement_report.ts";
import { type BrainScoreReport, rOf } from "./results.ts";

/** What is measured of the joint graph, and what it is to be on the synthetic scenes. */
export const TARGETS: {
  key: Exclude<keyof Universality, "agreement" | "converged">;
  label: string;
  target?: { limit: number; isMost?: true };
}[] = [
  {
    key: "slot",
    label: "eigenvectors 2–20: share of variance between layers",
    target: { limit: 0.05, isMost: true },
  },
  { key: "image", label: "the same between images", target: { limit: 0.17 } },
  {
    key: "figureGround",
    label: "figure against ground, one pair of centres for all late layers",
    target: { limit: 0.7 },
  },
  {
    key: "neighbors",
    label: "nearest node of another model of the same class, × chance",
    target: { limit: 2.2 },
  },
  { key: "within", label: "figure against ground within a layer, mean over layers" },
  { key: "lambda2", label: "λ₂ of the joint graph" },
];

export function universalSection({ universal, data, ridge, space }: BrainScoreReport): Html[] {
  if (!universal) return [text("Not measured: these images have no masks.")];
  const names = FEATURES.filter((name) => universal[name]);
  const isEmbedded = data === "embedded", rois = [...Object.keys(ridge.rois), "all"];
  const least = rois.toSorted((a, b) => rOf(space, a) / rOf(ridge, a) - rOf(space, b) / rOf(ridge, b))[0];
  const headings = { raw: "raw features", paper: "paper's alignment, λ 1", ridge: "ridge alignment" };
  const rows = TARGETS.map(({ key, label, target }) => [
    label,
    ...names.map((name) => universal[name]![key] ?? "none"),
    ...(isEmbedded
      ? [
        target
          ? `${target.isMost ? "≤" : "≥"} ${target.limit}`
          : key === "within" && universal.raw
          ? `≥ ${formatNumber(universal.raw.within - 0.02, 3)}`
          : "none",
      ]
      : []),
  ]);
  const unconverged = names.filter((name) => !universal[name]!.converged);
  const apart = layersApartLine(universal.ridge.slot, "ridge");
  return [
    text(
      `${universal.nodes} random tokens of all layers of all models in ${universal.images} images as one graph. In a space that all share, its eigenvectors tell images and what is in them apart, and not the layer that a token is from. Figure and ground: balanced accuracy, 0.5 by chance, of the nearer of two centres in eigenvectors 2–20 (2–10 within a layer), over the deeper half of the layers.`,
    ),
    table({
      caption: "What the joint graph tells apart",
      columns: ["", ...names.map((name) => headings[name]), ...(isEmbedded ? ["target"] : [])],
      rows: [
        ...rows,
        [
          `held-out r over ridge regression's, least of all regions (${least})`,
          ...names.map((name) => name === "ridge" ? rOf(space, least) / rOf(ridge, least) : "none"),
          ...(isEmbedded ? ["≥ 0.98"] : []),
        ],
      ],
    }),
    ...agreementSection(
      Object.fromEntries(names.map((name) => [name, universal[name]])),
      headings,
      !isEmbedded,
    ),
    ...(universal.oneWidth ? oneWidthTable(universal.oneWidth) : []),
    ...(apart ? [text(`${apart}.`)] : []),
    ...(unconverged.length > 0
      ? [text(`Not all eigenvectors converged for: ${unconverged.map((name) => headings[name]).join(", ")}.`)]
      : []),
  ];
}

const FEATURES = ["raw", "paper", "ridge"] as const;

/** Raw features beside aligned ones, of the models that can share a graph without alignment. */
function oneWidthTable(
  { models, width, raw, ridge }: NonNullable<NonNullable<BrainScoreReport["universal"]>["oneWidth"]>,
): Html[] {
  const unconverged = [
    ...(raw.converged ? [] : ["raw features"]),
    ...(ridge.converged ? [] : ["ridge alignment"]),
  ];
  return [
    text(
      `Raw features share a graph only where they have one width. Of ${
        models.join(", ")
      } (${width} channels), in the alignment that all models share:`,
    ),
    table({
      caption: `What the joint graph of ${models.length} models of one width tells apart`,
      columns: ["", "raw features", "ridge alignment", "ratio"],
      rows: TARGETS.map(({ key, label }) => {
        const [before, after] = [raw[key], ridge[key]];
        return [label, before ?? "none", after ?? "none", before && after ? after / before : "none"];
      }),
    }),
    ...agreementSection({ raw, ridge }, { raw: "raw features", ridge: "ridge alignment" }, true),
    ...(unconverged.length > 0
      ? [text(`Not all eigenvectors converged for: ${unconverged.join(", ")}.`)]
      : []),
  ];
}
