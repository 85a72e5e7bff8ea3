/** Which of a vision transformer's tokens are what: class token, registers, patches row by row. */

/** Tokens of one image, in this order. */
export interface TokenLayout {
  /** Whether the first token is a class token. */
  classToken: boolean;
  /** Between it and the patches. */
  registers: number;
  /** The patches. */
  grid: { rows: number; cols: number };
}

/** More registers than any published model has are no registers. */
const MAX_REGISTERS = 8;
/** As published models have them where one stored tensor holds all that is not a patch. */
const REGISTERS_ALONE = [2, 4, 8, 16];

/**
 * Parts an image's tokens into a class token, registers and patches.
 *
 * The patches are as many as fit in the image where the graph says their size. Else they are taken to be squares, and what
 * remains are registers: in a square image 197 = 1 + 14², 201 = 1 + 4 + 14², 196 = 14².
 *
 * @param tokens of one image
 * @param grid of patches, where it is known
 * @param registers where it is known
 * @param path the model, for messages
 * @param learned rows of each stored tensor that the graph puts beside the patches, where it is known: [1, 4] is a class
 *   token and four registers; one tensor of 2, 4, 8 or 16 rows is registers alone, of other numbers class token and registers
 * @param image pixels of the image; default a square
 * @throws Error "a.onnx has 18 tokens an image, which is 1 + 1 + 4² and 1 + 8 + 3²: give the number of registers."
 */
export function tokenLayout(
  tokens: number,
  grid: TokenLayout["grid"] | null,
  registers: number | undefined,
  path: string,
  learned: readonly number[] = [],
  image: { width: number; height: number } = { width: tokens, height: tokens },
): TokenLayout {
  const found = `${path} has ${tokens} tokens an image`;
  const known = learned.reduce((sum, rows) => sum + rows, 0), isKnown = known > 0;
  if (grid) {
    const patches = grid.rows * grid.cols, others = tokens - patches;
    const hasClass = others > 0 && others !== registers &&
      (registers !== undefined || others !== known || !areRegisters(learned));
    const layout = { classToken: hasClass, registers: others - (hasClass ? 1 : 0), grid };
    const most = registers ?? Math.max(MAX_REGISTERS, known);
    if (others >= 0 && layout.registers <= most && layout.registers === (registers ?? layout.registers)) {
      return layout;
    }
    const given = registers === undefined ? "" : `, ${registers} registers`;
    throw new Error(
      `${found}, expected ${grid.rows} × ${grid.cols} patches${given} and at most one class token: ` +
        "check the preprocessing and the number of registers.",
    );
  }
  const layouts: TokenLayout[] = [];
  for (const classToken of [false, true]) {
    for (let count = registers ?? 0; count <= (registers ?? (classToken ? MAX_REGISTERS : 0)); count++) {
      const grids = gridsOf(tokens - (classToken ? 1 : 0) - count, image);
      layouts.push(...grids.map((grid) => ({ classToken, registers: count, grid })));
    }
  }
  const asLearned = layouts.filter((layout) => (layout.classToken ? 1 : 0) + layout.registers === known);
  const likely = isKnown && asLearned.length > 0 ? asLearned : layouts;
  if (likely.length === 1) return likely[0];
  if (layouts.length === 0) {
    throw new Error(
      `${found}, which is no ${
        image.width === image.height ? "square" : `grid on ${image.width} × ${image.height} pixels`
      } of patches with ${registers ?? `0 to ${MAX_REGISTERS}`} registers, class token or not: ` +
        "give the number of registers.",
    );
  }
  const readings = likely.map(({ classToken, registers, grid }) =>
    [
      ...(classToken ? [1] : []),
      ...(classToken || registers > 0 ? [registers] : []),
      grid.rows === grid.cols ? `${grid.rows}²` : `${grid.rows} × ${grid.cols}`,
    ].join(" + ")
  );
  throw new Error(`${found}, which is ${readings.join(" and ")}: give the number of registers.`);
}

/** Rows and columns in which square patches, as many as `count`, fill an image: of one side all of them just fit in. */
function gridsOf(count: number, { width, height }: { width: number; height: number }): TokenLayout["grid"][] {
  const grids: TokenLayout["grid"][] = [];
  for (let rows = 1; rows <= count; rows++) {
    const cols = count / rows;
    const largest = Math.min(height / rows, width / cols);
    const tooSmall = Math.max(height / (rows + 1), width / (cols + 1));
    if (Number.isInteger(cols) && tooSmall < largest) grids.push({ rows, cols });
  }
  return grids;
}

function areRegisters(learned: readonly number[]): boolean {
  return learned.length === 1 && REGISTERS_ALONE.includes(learned[0]);
}
