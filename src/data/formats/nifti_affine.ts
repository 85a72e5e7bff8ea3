/** Where NIfTI says that voxels lie, and whether two volumes lie in one place. */

/** Rows x, y and z of what takes a voxel's indices, and 1, to millimetres: 3 × 4. */
export type Affine = readonly number[];

/**
 * Where a header says that voxels lie: its sform, else its qform (nifti1.h, methods 3 and 2).
 *
 * @param view of the header, of NIfTI-1 where `isFirst`, else of NIfTI-2
 * @returns undefined where it says neither
 */
export function affineOf(view: DataView, isFirst: boolean, isLittle: boolean): Affine | undefined {
  const code = (at: [number, number]) =>
    isFirst ? view.getInt16(at[0], isLittle) : view.getInt32(at[1], isLittle);
  const numbers = (at: [number, number], count: number) =>
    Array.from(
      { length: count },
      (_, i) => isFirst ? view.getFloat32(at[0] + 4 * i, isLittle) : view.getFloat64(at[1] + 8 * i, isLittle),
    );
  if (code([254, 348]) > 0) return numbers([280, 400], 12);
  if (code([252, 344]) <= 0) return undefined;
  const [b, c, d, ...origin] = numbers([256, 352], 6), [sign, ...sides] = numbers([76, 104], 4);
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d));
  sides[2] *= sign < 0 ? -1 : 1;
  const turned = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
  ];
  return turned.flatMap((row, i) => [...row.map((value, axis) => value * sides[axis]), origin[i]]);
}

/** A volume, as far as its place goes. */
export interface Placed {
  path: string;
  size: readonly number[];
  affine?: Affine;
}

/**
 * Compares where two volumes of one size lie, of which voxels are taken one for one.
 *
 * @returns what to say of a volume that is shifted by more than half a voxel; undefined where it is not, or where one of the two
 *   does not say where it lies
 * @throws Error "a.nii.gz lies otherwise than b.nii.gz: …" when voxels lie in another order, or are of another size
 */
export function otherPlace(volume: Placed, { path, affine: expected }: Placed): string | undefined {
  const { affine: own, size } = volume;
  if (!own || !expected || ![...own, ...expected].every(Number.isFinite)) return undefined;
  const column = (affine: Affine, axis: number) => [affine[axis], affine[4 + axis], affine[8 + axis]];
  const apart = (axis: number) =>
    Math.hypot(...column(own, axis).map((value, i) => value - column(expected, axis)[i]));
  const voxel = Math.min(...[0, 1, 2].map((axis) => Math.hypot(...column(expected, axis))));
  const turned = [0, 1, 2].reduce((sum, axis) => sum + apart(axis) * ((size[axis] ?? 1) - 1), 0);
  if (turned > voxel / 2) {
    throw new Error(
      `${volume.path} lies otherwise than ${path}: along its axes voxels go by ${steps(own)} mm, there by ${
        steps(expected)
      } mm; resample it to the same grid.`,
    );
  }
  if (apart(3) <= voxel / 2) return undefined;
  return `${volume.path} lies ${
    Number(apart(3).toPrecision(3))
  } mm beside ${path}: voxels are taken one for one`;
}

/** The three axes as "(−1.8, 0, 0), (0, 1.8, 0), (0, 0, 1.8)". */
function steps(affine: Affine): string {
  return [0, 1, 2].map((axis) =>
    `(${[0, 4, 8].map((row) => String(Number(affine[row + axis].toFixed(2)))).join(", ")})`
  ).join(", ");
}
