/** The report of the showcase: its page, and its entry in results.json. */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { holdPages, writeFileAtomic } from "../../data/files/atomic_write.ts";
import { skippedLines } from "../../data/files/skipped.ts";
import { cutWarning } from "../../graph/normalized_cut.ts";
import { table } from "../../report/blocks.ts";
import { saveDrawings } from "../../report/figure_files.ts";
import type { ShowcaseContent } from "../../report/showcase/content.ts";
import { renderShowcase } from "../../report/showcase/page.ts";
import { recordExperiment, type RunContext } from "../shared/write_experiment.ts";
import { showcaseDrawings } from "./figures.ts";
import { mapSize, SHIFTS, type ShowcaseLayer } from "./compute.ts";
import type { PhotoCredit, PhotoSpot } from "./photographs.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import { contentVariance } from "../../statistics/content_variance.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";
import { runDataLine } from "../shared/run_data.ts";
import { layerMetrics } from "../shared/solved_layers.ts";

/** What the report says. */
export interface ShowcaseReport extends RunContext {
  /** What the photographs are, for people. */
  data: string;
  manifest: FeatureManifest;
  /** The model, for people; its name where there is none. */
  title?: string;
  /** What must not be concluded from it. */
  caveat?: string;
  /** Squares, as large as they are shown. */
  photos: { title: string; photo: RgbImage; credit?: PhotoCredit; spot?: PhotoSpot }[];
  layers: ShowcaseLayer[];
}

const NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split(" ");

/**
 * Writes `showcase.html`, and its numbers to results.json.
 *
 * @returns the path of the page
 */
export async function writeShowcaseReport(report: ShowcaseReport): Promise<string> {
  const { out, command, data, manifest, photos, layers, timings, caveat, title = manifest.model } = report;
  const map = mapSize(manifest), nodes = photos.length * map.rows * map.cols, { model } = manifest;
  const inputs = { models: [model], images: photos.length, nodes, data };
  const results = { metrics: layerMetrics(layers), claims: [] };
  await using _held = await holdPages(out);
  const { settings, peakMemory } = await recordExperiment(report, "showcase", inputs, results);
  const shown = await Promise.all(photos.map(async ({ photo, title, credit }) => ({
    title,
    credit,
    photo: await jpegDataUri(photo),
  })));
  const warnings = layers.flatMap((layer) => {
    const warning = cutWarning(layer);
    return warning ? [`layer ${layer.layer}: ${warning}`] : [];
  });
  const variances = layers.map(({ colors }) =>
    contentVariance(Uint8Array.fromBase64(colors), photos.length, map)
  );
  const first = variances.reduce(
    (best, { variance }, i) => variance > variances[best].variance ? i : best,
    0,
  );
  const skipped = skippedLines(), [{ components, segmentCount }] = layers, { grid } = manifest;
  const content: ShowcaseContent = {
    model,
    photos: shown,
    map,
    layers: layers.map(({ layer }) => layer),
    first,
    opening: `Opens on layer ${layers[first].layer}, whose colors show most of what is in the photographs: ${
      Math.round(100 * variances[first].share)
    } % of their variance is in areas that neither the place nor the photograph explains.`,
    spots: photos.flatMap(({ spot }, photo) => {
      if (!spot) return [];
      const cell = Math.floor(spot.y * map.rows) * map.cols + Math.floor(spot.x * map.cols);
      return [{ name: spot.name, photo, cell, layer: layerAt(spot.depth, layers.length) }];
    }),
    segmentCount,
    components,
    colors: joined(layers.map(({ colors }) => colors)),
    segments: joined(layers.map(({ segments }) => segments)),
    directions: joined(layers.map(({ directions }) => directions)),
  };
  const page = await renderShowcase(content, {
    question: `What does a vision transformer group together in ${count(photos.length)}?`,
    data: await runDataLine(data, [model]),
    lead:
      `${title}, ${layers.length} layers, no labels. All photographs share one color space per layer: similar colors are what the layer groups together.`,
    method: [
      `The model sees every photograph four times, shifted by half a patch (shift-and-stitch), so that a map has ${map.rows} × ${map.cols} cells where the model has ${
        grid.rows / SHIFTS
      } × ${
        grid.cols / SHIFTS
      } patches: each cell is the mean of the four patches that cover it. In each layer the ${
        nodes.toLocaleString("en-US")
      } cells of all photographs (the attention block's output after its projection, before the residual add) form one graph, whose edges are exp(cos − 1). Its ${components} leading eigenvectors are the normalised cut's.`,
      `Colors: t-SNE places cells in three dimensions by their eigenvectors, which are read as red, green and blue; the three axes, whose order and sign t-SNE leaves open, are chosen so that a layer's colors resemble those of the next. Segments: the ${segmentCount} leading eigenvectors, rotated until every cell belongs to one. Contrast: the same colors, stretched within each photograph. Similarity: the cosine between the ${components} eigenvectors of two cells, rounded to signed bytes.`,
      ...(caveat ? [`The model is ${caveat}.`] : []),
    ],
    numbers: table({
      caption: "The graph of each layer",
      columns: [
        "layer",
        "λ₂",
        `λ${subscript(components)}`,
        "eigengap",
        "largest residual",
        "trustworthiness of the map",
      ],
      rows: layers.map(({ layer, eigenvalues, eigengap, residual, trustworthiness }) => [
        `L${layer}`,
        eigenvalues[1],
        eigenvalues.at(-1)!,
        eigengap ?? "–",
        residual,
        trustworthiness,
      ]),
      digits: 4,
    }),
    settings: {
      ...settings,
      model,
      photographs: photos.length,
      nodes: `${nodes.toLocaleString("en-US")} a layer`,
      "wall time": Object.entries(timings).map(([stage, seconds]) => `${stage} ${seconds.toFixed(1)} s`).join(
        ", ",
      ),
      "peak memory": peakMemory,
      ...(skipped.length > 0 && { "left out or odd": skipped.join(" · ") }),
      ...(warnings.length > 0 && { "not to be trusted": warnings.join("; ") }),
    },
    command,
  });
  const path = join(out, "showcase.html");
  await writeFileAtomic(path, page);
  await saveDrawings(path, report.figures?.length ? showcaseDrawings(content) : [], report.figures ?? []);
  return path;
}

/** Index of the layer at a share of the depth. */
function layerAt(share: number, depth: number): number {
  return Math.max(0, Math.round(share * depth) - 1);
}

function count(photos: number): string {
  return `${NUMBERS[photos] ?? photos} photograph${photos === 1 ? "" : "s"}`;
}

function subscript(n: number): string {
  return [...String(n)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");
}

function joined(parts: string[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.fromBase64(part))));
}
