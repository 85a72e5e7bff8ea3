/** Voxels that nothing can be learned from: which, and why, reported by name and count. */

/** Why a voxel is left out; of several reasons the first. */
export const LEFT_OUT = [
  "with a response that is not finite",
  "with one response to all images",
  "whose noise ceiling is not a number",
  "that a session has not measured (one response to all its trials)",
] as const;

/** The last two of them, as numbers. */
export const NO_CEILING = 3, NOT_MEASURED = 4;

/** Of each voxel 0, or the number of its reason in `LEFT_OUT` from 1 on. */
export type LeftOutReasons = Uint8Array;

/** Of this share of its largest value a response is constant as far as float32 can tell. */
const ROUNDING = 2 ** -22;
/** In this many voxels or more, one and the same response to an image is what a file holds where nothing was written. */
const MANY_VOXELS = 17;

/** Goes over the responses of one split, and says which voxels are of no use. */
export class VoxelScan {
  #least: Float32Array;
  #most: Float32Array;
  #isFinite: Uint8Array;
  #rows = 0;

  /** @param voxels of each row */
  constructor(voxels: number) {
    this.#least = new Float32Array(voxels).fill(Infinity);
    this.#most = new Float32Array(voxels).fill(-Infinity);
    this.#isFinite = new Uint8Array(voxels).fill(1);
  }

  /**
   * @param data images × voxels
   * @returns the first image of these that was not measured, counted from 0, and what it has instead; undefined for none
   */
  add(data: Float32Array): { row: number; has: string } | undefined {
    const voxels = this.#least.length;
    let empty: { row: number; has: string } | undefined;
    for (let row = 0, at = 0; at < data.length; row++) {
      const first = data[at];
      let finite = 0, same = 0;
      for (let voxel = 0; voxel < voxels; voxel++, at++) {
        const value = data[at];
        if (!Number.isFinite(value)) this.#isFinite[voxel] = 0;
        else {
          finite++;
          if (value === first) same++;
          if (value < this.#least[voxel]) this.#least[voxel] = value;
          if (value > this.#most[voxel]) this.#most[voxel] = value;
        }
      }
      if (finite === 0) empty ??= { row, has: "no finite response" };
      else if (same === voxels && voxels >= MANY_VOXELS) {
        empty ??= { row, has: `the same response, ${first}, of all ${voxels} voxels` };
      }
      this.#rows++;
    }
    return empty;
  }

  /** Of each voxel 0, 1 (not finite) or 2 (constant; not reported of a single image). */
  reasons(): LeftOutReasons {
    return this.#isFinite.map((isFinite, voxel) => {
      const least = this.#least[voxel], most = this.#most[voxel];
      const isConstant = most - least <= ROUNDING * Math.max(Math.abs(least), Math.abs(most));
      return isFinite === 0 ? 1 : this.#rows > 1 && isConstant ? 2 : 0;
    });
  }
}

/**
 * What was left out, in one sentence; none where nothing was.
 *
 * @param reasons one a voxel
 * @param rois all voxels of each region
 */
export function leftOutSentences(
  reasons: LeftOutReasons,
  rois: ReadonlyMap<string, ArrayLike<number>>,
): string[] {
  const count = reasons.reduce((sum, reason) => sum + Number(reason > 0), 0);
  if (count === 0) return [];
  const kinds = LEFT_OUT.flatMap((why, i) => {
    const own = reasons.reduce((sum, reason) => sum + Number(reason === i + 1), 0);
    return own > 0 ? [`${own} ${why}`] : [];
  });
  const inRegion = new Uint8Array(reasons.length);
  const regions = [...rois].flatMap(([name, voxels]) => {
    let own = 0;
    for (const voxel of Array.from(voxels)) {
      if (reasons[voxel] > 0) own++;
      inRegion[voxel] = 1;
    }
    return own > 0 ? [`${name} ${own}`] : [];
  });
  const outside = reasons.reduce((sum, reason, v) => sum + Number(reason > 0 && inRegion[v] === 0), 0);
  const where = [...regions, ...(outside > 0 ? [`no region ${outside}`] : [])];
  return [`${count} of ${reasons.length} voxels: ${kinds.join(", ")} (${where.join(", ")})`];
}
