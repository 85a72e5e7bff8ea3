/** What the explorer's page is made from. */
import type { PackedSurface } from "../cortex/packed_surface.ts";
import type { HalfMatrix } from "./half.ts";

/** One hemisphere of the cortical sheet. */
export interface SheetSide {
  name: string;
  /** Places of its voxels, in their order among all voxels. */
  places: { x: number; y: number }[];
  labels: { text: string; x: number; y: number }[];
}

/** A pixel to begin with: indices among the page's. */
export interface OpeningView {
  image: number;
  slot: number;
  token: number;
  /** Why this one, in one sentence. */
  reason: string;
}

/** What the explorer shows. Nodes follow slot by slot, image by image, token by token. */
export interface ExplorerContent {
  /** `photo` is a data URI. */
  images: { name: string; photo: string }[];
  models: string[];
  slots: { model: string; layer: number }[];
  /** Tokens of an image: class token, then patches row by row. */
  tokens: number;
  grid: { rows: number; cols: number };
  /** n × C. */
  eigenvectors: HalfMatrix;
  /** n × D′: V′. */
  aligned: HalfMatrix;
  /** D′ × voxels: β. */
  beta: HalfMatrix;
  /** n × 3 bytes. */
  colors: Uint8Array;
  /** Segment of every node where there are most, and the tree by which there are fewer: a `ClusterTree`. */
  segments: Uint8Array;
  segmentParents: number[];
  /** What the page shows first. */
  opening: OpeningView;
  rois: string[];
  /** Index into `rois` of every voxel, hemisphere by hemisphere. */
  voxelRois: Uint8Array;
  sheet: SheetSide[];
  /** The voxels on fsaverage5, where their places on it are known; drawn instead of the sheet. */
  surface?: PackedSurface;
  /** Activation at the ends of the color scale, of the sum over layers and of one alone. */
  activationLimits: { sum: number; layer: number };
}
