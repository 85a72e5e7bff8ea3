/** Which of a vision transformer's tokens are what: class token, registers, patches row by row. */

/** Tokens of one image, in this order. */
export interface TokenLayout {
  /** After the one class token. */
  registers: number;
  /** The patches. */
  grid: { rows: number; cols: number };
}

/** More registers than any published model has are no registers. */
const MOST_REGISTERS = 8;

/**
 * Parts an image's tokens into a class token, registers and patches.
 *
 * The patches are as many as fit in the image where the graph tells their size. Else they are taken to form a square, and
 * what remains are registers: 197 = 1 + 14², 201 = 1 + 4 + 14².
 *
 * @param tokens of one image
 * @param grid of patches, where it is known
 * @param registers where it is known
 * @param path the model, for messages
 * @throws Error "a.onnx has 18 tokens an image, which is 1 + 1 + 4² and 1 + 8 + 3²: give the number of registers."
 */
export function tokenLayout(
  tokens: number,
  grid: TokenLayout["grid"] | null,
  registers: number | undefined,
  path: string,
): TokenLayout {
  const found = `${path} has ${tokens} tokens an image`;
  if (grid) {
    const patches = grid.rows * grid.cols;
    const layout = { registers: registers ?? tokens - 1 - patches, grid };
    if (tokens === 1 + layout.registers + patches && layout.registers >= 0) return layout;
    const given = registers === undefined ? "" : `, ${registers} registers`;
    throw new Error(
      `${found}, expected a class token${given} and ${grid.rows} × ${grid.cols} patches: ` +
        "check the preprocessing and the number of registers; a model without class token is not taken.",
    );
  }
  const counts = registers === undefined
    ? Array.from({ length: MOST_REGISTERS + 1 }, (_, i) => i)
    : [registers];
  const layouts = counts.flatMap((count) => {
    const side = Math.sqrt(tokens - 1 - count);
    return Number.isInteger(side) && side > 0 ? [{ registers: count, grid: { rows: side, cols: side } }] : [];
  });
  if (layouts.length === 1) return layouts[0];
  if (layouts.length === 0) {
    throw new Error(
      `${found}, which is no class token, ${
        registers ?? `0 to ${MOST_REGISTERS}`
      } registers and a square of patches: ` +
        "give the number of registers.",
    );
  }
  const readings = layouts.map((layout) => `1 + ${layout.registers} + ${layout.grid.rows}²`);
  throw new Error(`${found}, which is ${readings.join(" and ")}: give the number of registers.`);
}
