/** Columns of a table as its file has them, whatever its format: what `readEmbedding` makes a matrix of. */

export interface ReadColumn {
  name: string;
  /** What the format calls its values, for sentences. */
  type: string;
  /** Numbers, where they are some; null where a cell is empty. */
  number?(row: number): number | null;
  /** Lists of numbers; null where a cell is empty. */
  list?(row: number): ArrayLike<number | null> | null;
  /** Text; "" where a cell is empty. */
  text?(row: number): string;
  /** Whether it is the table's index rather than one of its columns. */
  isIndex?: boolean;
}

export interface ReadTable {
  rows: number;
  columns: ReadColumn[];
}

/** Names of columns that say which row it is. */
export const INDEX_NAME =
  /^(?:unnamed: 0|rows?|row_?names?|no|nr|number|(?:.*[ _.-])?(?:id|ids|idx|index))$/i;

/**
 * The columns that pandas has noted to be the index of a table.
 *
 * @param note as under "pandas" in the metadata of a schema
 */
export function pandasIndex(note: string | undefined): Set<string> {
  if (note === undefined) return new Set();
  try {
    const { index_columns: columns } = JSON.parse(note);
    return new Set(Array.isArray(columns) ? columns.filter((name) => typeof name === "string") : []);
  } catch {
    return new Set(); // what pandas has not written
  }
}

/** Whether a name is one that pandas gives an index without a name. */
export function isUnnamedIndex(name: string): boolean {
  return /^__index_level_\d+__$/.test(name);
}
