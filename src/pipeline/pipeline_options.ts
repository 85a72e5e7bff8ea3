/** Options of the pipeline. */
import type { AlignModel } from "../align/model.ts";
import type { RunImage } from "./images.ts";
import type { RunModel } from "./models.ts";
import type { NeighborMethod } from "./neighbor_search.ts";

/** What the pipeline is run on, and how. */
export interface PipelineOptions {
  models: RunModel[];
  /** As the models see them; one task of Slurm has those that it looks at alone, and gaps for the others. */
  images: RunImage[];
  /** Of the names of all images, where there are gaps. */
  imagesSha256?: string;
  /** Names of the classes of their pixels by index, the background first; none where they are not known. */
  classes: readonly string[];
  /** What the images and the brain are, for people. */
  data: string;
  /** Distinguishes these images from others of the same names. */
  imagesKey: string;
  align: AlignModel;
  /** Hash of the alignment. */
  alignKey: string;
  landmarks: number;
  /** Farthest points change the density that eigenvectors reflect, and are further from the exact answer: see the page nystrom. */
  sampling: "uniform" | "farthest";
  /** Nearest landmarks a node takes its vector from, or "all". */
  neighbors: number | "all";
  /** How nearest landmarks are found; "auto" depends on what is faster, so two machines may differ. */
  knn: NeighborMethod;
  components: number;
  /** Nodes that t-SNE is run on. */
  sample: number;
  /** Steps of t-SNE. */
  iterations: number;
  seed: number;
  /** Images that experiments look at, at most: beyond, a sample of all. */
  evaluated: number;
  /** Images of a shard of features, a multiple of 8; default `SHARD_IMAGES`. No number depends on it. */
  shardImages?: number;
}
