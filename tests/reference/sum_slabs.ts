/** Σ_s slab_s of `count` slabs of `size` values, added to `start` when there is one, in float64. */
export function sumSlabs(
  slabs: ArrayLike<number>,
  size: number,
  count: number,
  start?: ArrayLike<number>,
): Float64Array {
  const out = start ? Float64Array.from(start) : new Float64Array(size);
  for (let s = 0; s < count; s++) {
    for (let i = 0; i < size; i++) out[i] += slabs[s * size + i];
  }
  return out;
}
