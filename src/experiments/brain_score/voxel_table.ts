/** The brain scores of every voxel as columns: for `writeTable`. */
import type { Subject } from "../../data/datasets/subject.ts";
import type { TableColumns } from "../../data/formats/table_file.ts";
import type { Condition, Score } from "../../pipeline/align_cache.ts";

/** What the columns are made of. */
export interface VoxelScores {
  conditions: readonly Condition[];
  /** Further scores by name. */
  others: Readonly<Record<string, Score>>;
  /** Of each voxel (r²), where there are any. */
  noiseCeiling?: Float32Array;
}

/**
 * One row a voxel, left hemisphere first: `hemisphere` (lh or rh), `vertex` (its index in the files of it), `x` and `y` on the flattened
 * cortex and `noise_ceiling` (r²) where they are known, `rois` (all regions that it is in, `;` between them), then Pearson r
 * over the held-out images: `r_lambda_0`, `r_lambda_0_1`, `r_lambda_1` (mean over seeds), and `r_…` of the others.
 */
export function voxelTable(
  { voxels: { lh, total }, vertices, rois, places }: Pick<
    Subject,
    "voxels" | "vertices" | "rois" | "places"
  >,
  { conditions, others, noiseCeiling }: VoxelScores,
): TableColumns {
  const regions = Array.from({ length: total }, (): string[] => []);
  for (const [name, voxels] of rois) for (const voxel of voxels) regions[voxel].push(name);
  const place = (axis: number) => Float32Array.from({ length: total }, (_, v) => places![2 * v + axis]);
  const seedMean = ({ scores }: Condition) =>
    Float32Array.from(
      { length: total },
      (_, v) => scores.reduce((sum, { voxels }) => sum + voxels[v], 0) / scores.length,
    );
  return {
    hemisphere: regions.map((_, v) => v < lh ? "lh" : "rh"),
    vertex: Int32Array.from(vertices),
    ...(places && { x: place(0), y: place(1) }),
    rois: regions.map((names) => names.join(";")),
    ...(noiseCeiling && { noise_ceiling: noiseCeiling }),
    ...Object.fromEntries(
      conditions.map((one) => [`r_lambda_${String(one.lambda).replace(".", "_")}`, seedMean(one)]),
    ),
    ...Object.fromEntries(Object.entries(others).map(([name, { voxels }]) => [`r_${name}`, voxels])),
  };
}
