/** Steps of a run on Slurm. */

/** The stages in order; without tasks in a plan, "landmarks" is none: only farthest points are looked for among all nodes. */
export const STEPS = [
  "extract",
  "align",
  "landmarks",
  "fit",
  "propagate",
  "map",
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
  fit: ["extract", "align", "landmarks"],
  propagate: ["fit"],
  map: ["propagate"],
  evaluate: ["map"],
  reports: ["evaluate"],
};
