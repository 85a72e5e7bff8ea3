/** What the experiment `figure-ground` measured. */
import type { Estimate } from "../../statistics/bootstrap.ts";
import type { Effect } from "../../statistics/effect.ts";
import type { Query } from "./pixel_search.ts";

/** One region in one model. */
export interface RegionActivation {
  /** Its name. */
  roi: string;
  /** Mean over images, in standard deviations of a voxel. */
  figure: number;
  /** The same of ground. */
  ground: number;
  /** Figure minus ground. */
  difference: Estimate;
  /** What the paper has: 1 figure more, −1 ground more, 0 nothing. */
  expected: 1 | 0 | -1;
  /** One-sided p of the expected direction, signs flipped image by image; null where nothing is expected. */
  p: number | null;
}

/** One layer of a model. */
export interface LayerFigureGround {
  /** 1 is the first. */
  layer: number;
  /** Figure minus ground by region, in the order of `rois`. */
  differences: Estimate[];
  /** Area under the curve of a figure pixel, in eigenvectors. */
  area: Estimate;
}

/** How well pixels of one kind find it. */
export interface PixelSearch {
  /** In the eigenvectors of the joint graph; mean over images. */
  area: Estimate;
  /** The area less that by place alone (`beyondPlace`); signs flipped image by image. */
  beyondPlace: Effect;
  /** Lowest and highest mean area of a single pixel. */
  range: [low: number, high: number];
  /** In aligned features of the same layer. */
  aligned: number;
  /** In the layer's features as the model gives them. */
  raw: number;
}

export interface ModelFigureGround {
  /** Its name. */
  model: string;
  /** The layer that is tested. */
  layer: number;
  /** Its index among the pipeline's slots. */
  slot: number;
  /** At that layer. */
  regions: RegionActivation[];
  /** All layers together, summed as in METHOD (2). */
  whole: RegionActivation[];
  /** Mean activation of every voxel at that layer. */
  voxels: Record<"figure" | "ground", ArrayLike<number>>;
  /** By layer. */
  layers: LayerFigureGround[];
  /** What figure pixels find. */
  figure: PixelSearch;
  /** What ground pixels find. */
  ground: PixelSearch;
}

/** Two models beside each other. */
export interface ModelPair {
  /** Their names. */
  models: [string, string];
  /** r of figure minus ground over the regions; figure and ground exchanged in random images of one model. */
  agreement: Effect;
}

/** A measure before and after alignment. */
export interface AlignEffect {
  /** Before, mean over images. */
  raw: number;
  /** After. */
  aligned: number;
  /** Aligned less raw, signs flipped image by image. */
  gain: Effect;
}

/** What the experiment found; plain JSON. */
export interface FigureGround {
  /** Images with figure and ground. */
  images: number[];
  /** Names of the regions. */
  rois: string[];
  /** In the pipeline's order. */
  models: ModelFigureGround[];
  /** Every two models. */
  pairs: ModelPair[];
  /** Figure and ground pixels, one an image. */
  queries: { figure: Query[]; ground: Query[] };
  /** Area under the curve by place alone. */
  place: { figure: number; ground: number };
  /** r of similarity maps between models; null with one model. */
  maps: AlignEffect | null;
  /** Area under the curve of one model's figure pixel in another's patches; null with one model or other widths. */
  across: AlignEffect | null;
  /** Category of every image. */
  categories: number[];
}
