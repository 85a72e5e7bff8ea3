/** Photographs through one model: colors of every layer by itself, and what its eigenvectors segment. */
import { takeColumns } from "../../linalg/host_matrix.ts";
import { createHash } from "node:crypto";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { normalizedCut } from "../../graph/normalized_cut.ts";
import type { RunImage } from "../../pipeline/images.ts";
import { plainFeatures } from "../shared/image_truth.ts";
import { type SolvedLayer, solveLayers, type SolveSettings } from "../shared/solved_layers.ts";
import { ORACLE_COMPONENTS, oracleSegmentation, type TokenLabels } from "../shared/oracle_segmentation.ts";

export interface PhotographLayer extends SolvedLayer {
  /** Figure-ground by the oracle, where there are masks. */
  figureGround?: { miou: number; threshold: number };
}

/**
 * Every layer's colors, and with labels its figure-ground.
 *
 * @param labels figure and ground pixels under every token, all images one after the other
 */
export async function photographLayers(
  gpu: Gpu | null,
  manifest: FeatureManifest,
  labels: TokenLabels | undefined,
  settings: SolveSettings,
): Promise<PhotographLayer[]> {
  const hash = labels &&
    createHash("sha256").update(JSON.stringify([labels.classes, ...labels.counts])).digest("hex");
  return await solveLayers<Pick<PhotographLayer, "figureGround">>(gpu, manifest, settings, {
    name: "colors",
    code: ["src/experiments/layer_colors/compute.ts"],
    inputs: { labels: hash },
    add(eigenvectors) {
      if (!labels) return {};
      const { miou, threshold } = oracleSegmentation(takeColumns(eigenvectors, 0, ORACLE_COMPONENTS), labels);
      return { figureGround: { miou, threshold } };
    },
  });
}

/** The same segmentation from color and position alone, the bar that a model has to pass. */
export async function baselineFigureGround(
  gpu: Gpu,
  images: readonly RunImage[],
  grid: FeatureManifest["grid"],
  labels: TokenLabels,
  seed: number,
): Promise<number> {
  const cut = await normalizedCut(gpu, await plainFeatures(images, grid), {
    components: ORACLE_COMPONENTS,
    seed,
    name: "color and position",
  });
  return oracleSegmentation(cut.eigenvectors, labels).miou;
}
