/** The least and the largest number, ∞ and −∞ of none; voxels of a real cortex are too many for arguments. */
export function extent(values: readonly number[]): [least: number, most: number] {
  return [
    values.reduce((a, b) => Math.min(a, b), Infinity),
    values.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
}
