/** What was found for every node, as columns: for `writeTable`. */
import type { Matrix } from "../../linalg/matrix.ts";
import type { TableColumns } from "./table_file.ts";

/** Nodes of several layers of several models, in order: slot by slot, image by image, token by token. */
export interface NodeResults {
  /** Names of the images. */
  images: readonly string[];
  /** One layer of one model each; 1 is the first layer. */
  slots: readonly { model: string; layer: number }[];
  /** Patches of an image. */
  grid: { rows: number; cols: number };
  /** Whether a class token comes before the patches of every image. */
  hasClassToken: boolean;
  /** N × C, optional. */
  eigenvectors?: Matrix;
  /** N × 3 bytes RGB, optional. */
  colors?: Uint8Array;
  /** N labels, optional. */
  segments?: Uint32Array;
}

/**
 * The table of all nodes, one part a slot: `image`, `model`, `layer`, `row`, `col` (both −1 for the class token), then
 * `eigenvector_1` … `eigenvector_C` (float32), `red`, `green`, `blue` (0 to 255) and `segment`, where they are given.
 *
 * @param nodes the results
 * @throws RangeError "eigenvectors has 500 rows, but 2 slots × 3 images × 101 tokens are 606 nodes."
 */
export function* nodeTable(nodes: NodeResults): Generator<TableColumns> {
  const { images, slots, grid, hasClassToken, eigenvectors, colors, segments } = nodes;
  const first = hasClassToken ? 1 : 0, tokens = first + grid.rows * grid.cols;
  const count = images.length * tokens, total = slots.length * count;
  const lengths = {
    eigenvectors: eigenvectors?.rows,
    colors: colors && colors.length / 3,
    segments: segments?.length,
  };
  for (const [name, length] of Object.entries(lengths)) {
    if (length === undefined || length === total) continue;
    throw new RangeError(
      `${name} has ${length} rows, but ${slots.length} slots × ${images.length} images × ${tokens} tokens are ${total} nodes.`,
    );
  }
  const image = Array.from({ length: count }, (_, i) => images[Math.floor(i / tokens)]);
  const patch = (i: number) => i % tokens - first;
  const row = Int16Array.from({ length: count }, (_, i) => Math.floor(patch(i) / grid.cols));
  const col = Int16Array.from({ length: count }, (_, i) => patch(i) < 0 ? -1 : patch(i) % grid.cols);
  for (const [s, { model, layer }] of slots.entries()) {
    const from = s * count;
    const columns: Record<string, TableColumns[string]> = {
      image,
      model: new Array<string>(count).fill(model),
      layer: new Int16Array(count).fill(layer),
      row,
      col,
    };
    for (let c = 0; c < (eigenvectors?.cols ?? 0); c++) {
      const { data, cols } = eigenvectors!;
      columns[`eigenvector_${c + 1}`] = Float32Array.from(
        { length: count },
        (_, i) => data[(from + i) * cols + c],
      );
    }
    for (const [c, name] of colors ? ["red", "green", "blue"].entries() : []) {
      columns[name] = Uint8Array.from({ length: count }, (_, i) => colors![3 * (from + i) + c]);
    }
    if (segments) columns.segment = segments.slice(from, from + count);
    yield columns;
  }
}
