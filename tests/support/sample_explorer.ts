/** The explorer of the sample pages. */
import { HOSTILE, LAYERS, MODELS } from "./sample_names.ts";
import { writePhotographsReport } from "../../src/experiments/layer_colors/report.ts";
import type { RealBrainsReport } from "../../src/experiments/real_brains/report.ts";
import type { Gpu } from "../../mod.ts";
import { frontImages } from "../../src/experiments/explorer/compute.ts";
import { FRONT_EXPLORER } from "../../src/experiments/shared/index_page.ts";
import { fewerImages } from "../../src/report/explorer/fewer_images.ts";
import { explorerParts } from "../../src/report/explorer/page.ts";
import { renderExplorer } from "./render_explorer.ts";
import { sampleExploration } from "./sample_exploration.ts";

/** Layers of the explorer's models: as many maps in a row as of the paper's models. */
const DEEP = 12;

export async function writePhotographs(
  out: string,
  run: { gpu: Gpu; command: string; timings: Record<string, number>; seed: number },
): Promise<string> {
  const photo = { width: 8, height: 6, data: new Uint8Array(3 * 48).fill(120) }, tokens = 13;
  return await writePhotographsReport({
    ...run,
    out,
    data: "photographs",
    baseline: 0.4,
    manifest: {
      model: MODELS[0],
      modelSha256: "0",
      heads: 2,
      width: 8,
      tokens,
      classToken: true,
      registers: 0,
      hook: "attention",
      shifts: 1,
      provider: "cpu",
      layers: LAYERS.map((layer) => ({ layer, path: "", tensor: "", shards: [] })),
      grid: { rows: 3, cols: 4 },
      images: [HOSTILE, "b"],
      imagesSha256: "1",
      dtype: "float32",
      preprocessing: "{}",
    },
    photos: [{ name: HOSTILE, photo }, { name: "b", photo }],
    layers: LAYERS.map((layer) => ({
      layer,
      eigenvalues: [1, 0.5, 0.2],
      residual: 1e-6,
      eigengap: 0.1,
      converged: true,
      resolved: 3,
      iterations: 9,
      applications: 9,
      storage: "dense",
      kl: 1,
      trustworthiness: 0.98,
      seconds: { cut: 1, tsne: 1 },
      colors: Uint8Array.from({ length: 2 * tokens * 3 }, (_, i) => i * 29 % 256).toBase64(),
      figureGround: { miou: 0.1 * layer, threshold: 0.5 },
    })),
  });
}

export async function writeExplorer(out: string, command: string): Promise<string> {
  const { content } = await sampleExploration(undefined, undefined, DEEP), path = `${out}/explorer.html`;
  const front = fewerImages(content, frontImages(content));
  await Deno.writeTextFile(`${out}/${FRONT_EXPLORER}`, JSON.stringify(await explorerParts(front, true)));
  await Deno.writeTextFile(path, await renderExplorer(content, { method: HOSTILE, settings: {}, command }));
  return path;
}

export function cortex(): Pick<RealBrainsReport, "pictures" | "neurons" | "voxels"> {
  const interval = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
  const agreement = (value: number) => ({ spearman: interval(value), kendall: interval(value / 2) });
  const both = (value: number) => ({
    hIT: agreement(value),
    mIT: agreement(value + 0.05),
    subjects: agreement(value - 0.1),
  });
  const ceiling = { lower: agreement(0.38), upper: agreement(0.66) };
  const region = (mean: number) => ({ voxels: 40, mean, standardError: 0.01 });
  const encoder = (name: string, r: number) => ({
    name,
    label: `${name} <b>`,
    score: {
      r: Float64Array.of(r, r),
      rois: new Map([["EVC", region(r)], ["LOC", region(r + 0.1)], ["all", region(r)]]),
      foldSpread: 0.01,
    },
  });
  return {
    pictures: {
      pictures: 92,
      between: agreement(0.5),
      resamples: 1000,
      ceiling: { subjects: 4, ofValues: ceiling, ofRanks: ceiling },
      models: MODELS.map((model) => ({
        model,
        pixels: both(0.05),
        layers: LAYERS.map((layer) => ({ layer, pooled: both(0.04 * layer), tokens: both(0.03 * layer) })),
      })),
    },
    neurons: [{
      name: "210325",
      neurons: 50,
      photographs: { training: 500, test: 140 },
      skipped: [`1 of 51 voxels (${HOSTILE} 1)`],
      pixels: agreement(0.1),
      repeats: { halves: 0.5, ceiling: 0.8, splits: 20 },
      models: MODELS.map((model) => ({
        model,
        layers: LAYERS.map((layer) => ({
          layer,
          encoding: { ...region(0.05 * layer), normalized: 0.07 * layer },
          similarity: agreement(0.02 * layer),
        })),
      })),
    }],
    voxels: {
      categories: 81,
      voxels: 2,
      folds: 9,
      repeats: 5,
      skipped: [`1 of 3 voxels (${HOSTILE} 1)`],
      encoders: [encoder("ridge", 0.2), encoder("ridge_voxel_lambda", 0.22), encoder("encoder", 0.21)],
    },
  };
}
