/** Tables in and out, for scripts. */
import type { Embedding, EmbeddingOptions } from "../data/formats/read_embedding.ts";
import type { NodeResults } from "../data/formats/results_table.ts";
import type { TableColumns } from "../data/formats/table_file.ts";
import { makeFolderOf } from "./photographs.ts";

export type { Embedding, EmbeddingOptions } from "../data/formats/read_embedding.ts";
export type { NodeResults } from "../data/formats/results_table.ts";
export type { TableColumn, TableColumns } from "../data/formats/table_file.ts";

/**
 * Reads an embedding: `.npy`, `.npz` and `.safetensors` (an array of two axes), `.csv` and `.tsv` (columns of numbers), `.arrow`,
 * `.feather` and `.parquet` (columns of numbers, or one of equally long lists). An index is left out. What is left out of the
 * file, and what had to be decided to read it, is written to the console, and in `notes`.
 *
 * @param path the file
 * @param options whether the first line of CSV names the columns, where it is not to be decided by what it holds
 * @returns one row per item; names from the first column of text
 * @throws Error "a.csv, line 3: column "x" is "", expected a finite float32."; 'a.npz holds the matrices "x" (5 × 3, <f4), …'
 */
export async function readEmbedding(path: string, options: EmbeddingOptions = {}): Promise<Embedding> {
  const found = await (await import("../data/formats/read_embedding.ts")).readEmbedding(path, options);
  for (const note of found.notes ?? []) console.error(`${path}: ${note}`);
  return found;
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
  const { writeTable } = await import("../data/formats/table_file.ts");
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
  const { nodeTable } = await import("../data/formats/results_table.ts");
  const { writeTable } = await import("../data/formats/table_file.ts");
  await makeFolderOf(path);
  await writeTable(path, nodeTable(nodes));
}
