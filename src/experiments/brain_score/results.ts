/** What the experiment `brain-score` measured. */
import type { ClusteringEffect, MixedNeighbors } from "./align_effect.ts";
import type { Condition, Score } from "../../pipeline/align_cache.ts";
import type { Universality } from "./universality.ts";
import type { RunContext } from "../shared/write_experiment.ts";
import type { PositionScores } from "./baselines.ts";

/** What was measured. */
export interface BrainScoreReport extends RunContext {
  /** "embedded", or the subject's folder. */
  data: string;
  models: string[];
  images: { training: number; test: number };
  voxels: Record<string, number>;
  /** What of the data was left out, a sentence each. */
  skipped: readonly string[];
  conditions: Condition[];
  ridge: Score;
  perSlot: Score;
  position?: PositionScores;
  effects?: ClusteringEffect[];
  /** Of the alignment by ridge regression, and of the same trained on. */
  space: Score;
  trainedOn: Score;
  /** Of the alignment as in the paper, and of that by ridge regression. */
  mixed?: Record<string, MixedNeighbors>;
  /** What the joint graph tells apart; absent where no image has a mask. */
  universal?: {
    nodes: number;
    images: number;
    /** Absent where models have different widths. */
    raw?: Universality;
    paper: Universality;
    ridge: Universality;
    /** Where models have different widths: the same of those of the commonest width, which share a graph unaligned, too. */
    oneWidth?: { models: string[]; width: number; raw: Universality; ridge: Universality };
  };
}

/** r of one region, "all" for all voxels. */
export function rOf(score: Score, roi: string): number {
  return roi === "all" ? score.r : score.rois[roi].r;
}
