/** x + coefficient · row in float64, the row added to every row of x. */
export function addRow(x: ArrayLike<number>, row: ArrayLike<number>, coefficient: number): Float64Array {
  return Float64Array.from(x, (value, at) => value + coefficient * row[at % row.length]);
}
