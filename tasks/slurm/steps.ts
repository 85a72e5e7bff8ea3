/** Steps of a run on Slurm. */

/**
 * The stages in order. Three may have no tasks in a plan: only farthest points are looked for among all nodes ("landmarks"),
 * and only a fit that extends from all landmarks sums over all nodes ("affinities", "products").
 */
export const STEPS = [
  "extract",
  "align",
  "landmarks",
  "affinities",
  "products",
  "fit",
  "propagate",
  "map",
  "colors",
  "evaluate",
  "reports",
] as const;

/** One of them. */
export type Step = typeof STEPS[number];

/** Which stages must have succeeded before. */
export const AFTER: Record<Step, readonly Step[]> = {
  extract: [],
  align: [],
  landmarks: ["extract", "align"],
  affinities: ["extract", "align", "landmarks"],
  products: ["affinities"],
  fit: ["extract", "align", "landmarks", "products"],
  propagate: ["fit"],
  map: ["propagate"],
  colors: ["map"],
  evaluate: ["colors"],
  reports: ["evaluate"],
};
