/** out_r = x_chosen(r), rows of `cols` values. */
export function pickRows(x: ArrayLike<number>, chosen: ArrayLike<number>, cols: number): Float64Array {
  return Float64Array.from(
    { length: chosen.length * cols },
    (_, at) => x[chosen[Math.floor(at / cols)] * cols + at % cols],
  );
}
