/** Tables in and out, for scripts. */
import type { Embedding } from "../data/read_embedding.ts";
import type { NodeResults } from "../data/results_table.ts";
import type { TableColumns } from "../data/table_file.ts";
import { makeFolderOf } from "./photographs.ts";

export type { Embedding } from "../data/read_embedding.ts";
export type { NodeResults } from "../data/results_table.ts";
export type { TableColumn, TableColumns } from "../data/table_file.ts";

/**
 * Reads an embedding: `.npy` (two axes), `.csv` (columns of numbers), `.arrow` or `.feather` (IPC file, uncompressed or ZSTD:
 * columns of numbers, or one of equally long lists). The unnamed index that pandas and R write is left out.
 *
 * @param path the file
 * @returns one row a thing; names from the first column of text
 * @throws Error "a.csv, line 3: column "x" is "", expected a finite float32."; 'a.feather is compressed with LZ4: save it by
 *   df.to_feather(path, compression="uncompressed").'
 */
export async function readEmbedding(path: string): Promise<Embedding> {
  return await (await import("../data/read_embedding.ts")).readEmbedding(path);
}

/**
 * Writes a table as its ending says, `.arrow` (Arrow IPC) or `.csv`: pandas and R read both; DuckDB reads CSV, and Arrow
 * through pyarrow.
 *
 * @param path where to; the file appears whole or not at all
 * @param columns by name, equally long
 * @throws RangeError 'The column "x" has 3 values, "image" 4: they must be equal.'
 */
export async function saveTable(path: string, columns: TableColumns): Promise<void> {
  const { writeTable } = await import("../data/table_file.ts");
  await makeFolderOf(path);
  await writeTable(path, [columns]);
}

/**
 * Writes eigenvectors, colors and segments of every node as a table: `image`, `model`, `layer`, `row`, `col` (−1 for the
 * class token), `eigenvector_1` …, `red`, `green`, `blue`, `segment`.
 *
 * @param path ends in `.arrow` or `.csv`
 * @param nodes the results of slots × images × tokens nodes
 * @throws RangeError "colors has 500 rows, but 2 slots × 3 images × 101 tokens are 606 nodes."
 */
export async function saveNodes(path: string, nodes: NodeResults): Promise<void> {
  const { nodeTable } = await import("../data/results_table.ts");
  const { writeTable } = await import("../data/table_file.ts");
  await makeFolderOf(path);
  await writeTable(path, nodeTable(nodes));
}
