/** s_i (x_ic + k r_c) in float64. */
export function affineRows(
  x: ArrayLike<number>,
  { row, coefficient, factors }: { row: ArrayLike<number>; coefficient: number; factors: ArrayLike<number> },
): Float64Array {
  const cols = row.length;
  return Float64Array.from(
    x,
    (value, at) => factors[Math.floor(at / cols)] * (value + coefficient * row[at % cols]),
  );
}
