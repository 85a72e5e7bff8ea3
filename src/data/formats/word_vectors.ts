/** Word vectors as text: word2vec's and fastText's, whose first line has the numbers of words and dimensions, and GloVe's, without it. */
import type { CsvRows } from "./csv.ts";

/** A line of the two numbers. */
const COUNTS = /^(\d+) (\d+) *$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Parts a text of a word and numbers a line, blanks between them; quotes and commas are words like others.
 *
 * @param text the whole file
 * @returns lines with equally many numbers, or undefined where the text is another
 */
export function parseWordVectors(text: string): CsvRows | undefined {
  const all = text.replace(/^\ufeff/, "").split(/\r?\n/);
  while (all.length > 0 && all.at(-1)!.trim() === "") all.pop();
  const [, words, dimensions] = COUNTS.exec(all[0] ?? "") ?? [], first = words === undefined ? 0 : 1;
  if (first === 1 && Number(words) !== all.length - 1) return undefined;
  const rows: string[][] = [], lines: number[] = [];
  for (let i = first; i < all.length; i++) {
    const row = all[i].trimEnd().split(" ");
    if (row.length < 3 || row.length !== (rows[0]?.length ?? row.length)) return undefined;
    if (!row.every((cell, at) => at === 0 ? cell !== "" : NUMBER.test(cell))) return undefined;
    rows.push(row);
    lines.push(i + 1);
  }
  if (rows.length === 0 || first === 1 && Number(dimensions) !== rows[0].length - 1) return undefined;
  return { rows, lines, quoted: [] };
}
