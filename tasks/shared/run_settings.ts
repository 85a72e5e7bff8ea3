/** The options of a pipeline, resolved: presets and what depends on other options. */
import { refuseWithoutEffect } from "../../src/cli/options.ts";
import type { Parsed } from "../../src/cli/options.ts";
import type { ALIGNMENTS } from "../../src/pipeline/align_cache.ts";
import type { PipelineOptions } from "../../src/pipeline/pipeline_options.ts";
import type { FigureFormat } from "../../src/report/figure_files.ts";
import { BATCH, type PIPELINE_OPTIONS } from "./options.ts";

/** Counts of the preset, an image: the paper's for its 1,000 images; and no more than its own. */
const PAPER = { neighbors: 100, landmarks: 50, mostLandmarks: 50_000, sample: 10, mostSample: 10_000 };

/** The options of a pipeline, resolved. */
export interface RunSettings
  extends
    Pick<PipelineOptions, "landmarks" | "sampling" | "neighbors" | "knn" | "sample" | "seed" | "evaluated"> {
  quick: boolean;
  /** Images of each kind. */
  limit: number;
  alignment: typeof ALIGNMENTS[number];
  /** Images of a shard of features. */
  shardImages: number | undefined;
  out: string;
  cache: string;
  figures: FigureFormat[];
  adapter: "hardware" | "software" | undefined;
}

/**
 * Resolves options.
 *
 * @throws RangeError one sentence that names the options that do not go together
 */
export function runSettings({ options, given }: Parsed<typeof PIPELINE_OPTIONS>): RunSettings {
  const { quick, preset, out, cache, seed, figures, adapter } = options;
  const knn = options["neighbor-search"], shardImages = options["images-per-shard"];
  const sampling = options.sampling ?? (preset ? "farthest" : "uniform");
  const alignment = options.alignment ?? (preset ? "paper" : "ridge");
  const neighbors = options.neighbors ?? (preset ? PAPER.neighbors : "all");
  const limit = options.limit ?? (quick ? 12 : 100);
  const landmarks = options.landmarks ??
    (preset
      ? Math.min(PAPER.mostLandmarks, Math.max(1000, PAPER.landmarks * limit))
      : neighbors === "all"
      ? 300
      : quick
      ? 1500
      : 5000);
  const usual = quick ? 1000 : 3000;
  const sample = preset ? Math.min(PAPER.mostSample, Math.max(usual, PAPER.sample * limit)) : usual;
  if (neighbors === "all" && knn !== "exact") {
    throw new RangeError(
      `--neighbor-search ${knn} searches the nearest landmarks, but all are used: give their number, for example --neighbors 32.`,
    );
  }
  if (neighbors !== "all" && neighbors > landmarks) {
    throw new RangeError(
      `--neighbors is ${neighbors}, more than the ${landmarks} landmarks: give fewer neighbors, or more --landmarks.`,
    );
  }
  if (options["dry-run"]) {
    refuseWithoutEffect(given, ["check-error"], "--dry-run computes nothing, so leave one of them out");
  }
  if (shardImages !== undefined && shardImages % BATCH > 0) {
    throw new RangeError(
      `--images-per-shard is ${shardImages}: give a multiple of ${BATCH}, a batch of the models.`,
    );
  }
  return {
    quick,
    limit,
    alignment,
    sample,
    landmarks,
    sampling,
    neighbors,
    knn,
    seed,
    evaluated: options["evaluation-images"],
    shardImages,
    figures,
    out,
    cache,
    adapter,
  };
}
