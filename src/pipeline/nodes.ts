/** What the pipeline has found: its nodes, layer by layer of each model, and where each is. */
import type { AlignModel } from "../align/model.ts";
import type { FeatureManifest } from "../data/features/extract_parts.ts";
import type { NystromModel } from "../graph/nystrom.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { RunImage } from "./images.ts";

/** One layer of one model among the nodes. */
export interface PipelineSlot {
  model: string;
  /** 1 is the first. */
  layer: number;
  /** Index of its first node; its nodes follow image by image, token by token. */
  first: number;
}

/** What the experiments read. */
export interface Pipeline {
  models: string[];
  /** As in the options. */
  classes: readonly string[];
  /** As in the options. */
  data: string;
  manifests: FeatureManifest[];
  slots: PipelineSlot[];
  /** Of the graph; experiments may look at some of its images, and their nodes, only. */
  total: { images: number; nodes: number };
  /** Images, and tokens of each: class token (or the mean of the patches), then patches row by row. */
  images: RunImage[];
  tokens: number;
  grid: { rows: number; cols: number };
  /** N × C, one row a node. */
  eigenvectors: Matrix;
  /** The fit on landmarks. */
  fit: NystromModel;
  /** How nearest landmarks were found, and why, in one sentence. */
  search: string;
  /** Eigenvectors of the nodes that the spectral map was made of, sample × C. */
  sampleVectors: Matrix;
  /** Per node the index of its sample point. */
  nearest: Uint32Array;
  /** sample × 3 and sample × 2: the spectral map. */
  points3: Matrix;
  points2: Matrix;
  /** KL(P‖Q) and trustworthiness of the map in three dimensions. */
  map: { kl: number; trustworthiness: number; lowered?: string };
  /** N × 3 bytes: AlignedCut colors. */
  colors: Uint8Array;
  align: AlignModel;
  /** What it was read from, features and align left out. */
  files: string[];
}

/** Index of a node. */
export function nodeOf({ slots, tokens }: Pipeline, slot: number, image: number, token: number): number {
  return slots[slot].first + image * tokens + token;
}

/** The slots of one model, by layer. */
export function slotsOf({ slots }: Pipeline, model: string): number[] {
  return slots.flatMap((slot, i) => slot.model === model ? [i] : []);
}
