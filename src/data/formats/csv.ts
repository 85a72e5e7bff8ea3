/**
 * CSV as RFC 4180 has it, but of any separator: CRLF, LF or CR, quotes around cells that hold one of them.
 *
 * Ours, as csv-parse 7.0.3 cannot be told to read both `5" wide` as it stands and refuse `"5" wide`, nor to take blanks before
 * a quote away but leave those of other cells; tables of numbers also take it several times as long.
 */

/** The separators that are told apart, in words. */
const NAMES: Readonly<Record<string, string>> = {
  ",": "a comma",
  ";": "a semicolon",
  "\t": "a tab",
  "|": "|",
};

/** The lines of a file. */
export interface CsvRows {
  /** One list of cells a line; empty lines are left out. */
  rows: string[][];
  /** Number of each row's first line in the file, 1 the first. */
  lines: number[];
  /** Which cells of the first two rows stand in quotes. */
  quoted: boolean[][];
}

/**
 * Parts a text into rows of cells, and says where they are.
 *
 * @param text the whole file; a byte order mark at its beginning is left out
 * @param path names the file in errors
 * @param separator between cells; default a comma
 * @throws Error "a.csv: the quote opened in line 3 is never closed."; 'a.csv, line 3: a closing quote is followed by "x" …'
 */
export function parseCsvRows(text: string, path: string, separator = ","): CsvRows {
  const rows: string[][] = [], lines: number[] = [], quoted: boolean[][] = [];
  let row: string[] = [], started = 1, at = text.startsWith("\ufeff") ? 1 : 0, line = 1;
  while (at < text.length) {
    let cell: string;
    let start = at;
    while (text[start] === " " && separator !== " ") start++;
    const isQuoted = text[start] === '"';
    if (isQuoted) at = start; // blanks before a quote belong to no cell
    if (row.length === 0) started = line;
    if (isQuoted) {
      const parts: string[] = [], opened = line;
      for (at++;;) {
        const end = text.indexOf('"', at);
        if (end < 0) throw new Error(`${path}: the quote opened in line ${opened} is never closed.`);
        const part = text.slice(at, end);
        parts.push(part);
        line += part.split("\n").length - 1;
        at = end + 1;
        if (text[at] !== '"') break;
        parts.push('"');
        at++;
      }
      cell = parts.join("");
      if (at < text.length && text[at] !== separator && text[at] !== "\r" && text[at] !== "\n") {
        throw new Error(
          `${path}, line ${line}: a closing quote is followed by "${text[at]}", expected ${
            NAMES[separator]
          } or the line's end.`,
        );
      }
    } else {
      const from = at;
      while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at++;
      cell = text.slice(from, at);
    }
    row.push(cell);
    if (rows.length < 2) (quoted[rows.length] ??= []).push(isQuoted);
    if (text[at] === separator) {
      at++;
      if (at < text.length) continue;
      row.push("");
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (row.length > 1 || row[0] !== "") {
      rows.push(row);
      lines.push(started);
    }
    row = [];
  }
  return { rows, lines, quoted };
}

/**
 * Joins cells into one line, quoted where they must be.
 *
 * @param cells text and numbers; null is an empty cell
 * @returns the line with its line feed
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  if (cells.length === 1 && (cells[0] ?? "") === "") return '""\n'; // else an empty line, which readers pass over
  return cells.map((cell) => {
    const text = cell === null ? "" : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",") + "\n";
}
