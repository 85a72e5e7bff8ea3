/** CSV as RFC 4180 has it: commas, CRLF or LF, quotes around cells that hold either. */

/**
 * Parts a text into rows of cells.
 *
 * @param text the whole file; a byte order mark at its beginning is left out
 * @param path names the file in errors
 * @returns one list of cells a line; empty lines are left out
 * @throws Error "a.csv: the quote opened in line 3 is never closed."; 'a.csv, line 3: a closing quote is followed by "x" …'
 */
export function parseCsv(text: string, path: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [], at = text.startsWith("\ufeff") ? 1 : 0, line = 1;
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
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
      if (at < text.length && !/[,\r\n]/.test(text[at])) {
        throw new Error(
          `${path}, line ${line}: a closing quote is followed by "${
            text[at]
          }", expected a comma or the line's end.`,
        );
      }
    } else {
      const from = at;
      while (at < text.length && text[at] !== "," && text[at] !== "\n" && text[at] !== "\r") at++;
      cell = text.slice(from, at);
    }
    row.push(cell);
    const isComma = text[at] === ",";
    if (isComma) {
      at++;
      if (at < text.length) continue;
      row.push("");
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}

/**
 * Joins cells into one line, quoted where they must be.
 *
 * @param cells text and numbers; null is an empty cell
 * @returns the line with its line feed
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return cells.map((cell) => {
    const text = cell === null ? "" : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",") + "\n";
}
