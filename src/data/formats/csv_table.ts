/** Tables from CSV: which separator, which decimal mark, and whether the first line names the columns. */
import { type CsvRows, parseCsvRows } from "./csv.ts";
import { parseWordVectors } from "./word_vectors.ts";
import { INDEX_NAME, type ReadColumn, type ReadTable } from "./read_columns.ts";

/** A table, and what had to be decided to read it. */
export interface CsvTable extends ReadTable {
  /** A sentence for each decision that could have been another. */
  notes: string[];
  hasHeader: boolean;
  /** Number of a row's line in the file, 1 the first. */
  lineOf(row: number): number;
  /** What stands in a cell. */
  cell(row: number, column: number): string;
}

/** Read in the order of what most files have. */
const SEPARATORS = [",", ";", "\t", "|"], BLANKS = " ";
/** Of the columns a share above this is half. */
const MOST = 0.5;
/** This many numbers are in ascending order by chance once in 720. */
const MANY = 6;
const FIRST_YEAR = 1500, LAST_YEAR = 2100;
/** How files write cells without a value, and numbers that no embedding may hold. */
const NO_VALUE = /^\s*(?:|n\/?a|#n\/a|null|none|missing|[+-]?nan|[+-]?inf(?:inity)?|[+-]?[\d.]+e\d+)\s*$/i;
/** As Python writes a list, or NumPy an array. */
const LIST = /^\s*\[[^[\]]*\]\s*$/;
const WHOLE = /^(?:0|[1-9]\d*)$/;
/** Of the end of a file, where its last line is looked for. */
const MAX_LINE = 2 ** 20;

/**
 * Parts a text into columns.
 *
 * @param text the whole file
 * @param path names the file in errors; in `.tsv` and `.tab` cells are separated by tabs, else by what fits
 * @param header whether the first line names the columns; default: decided, and reported where it could be otherwise
 * @throws Error as `parseCsvRows`; "a.csv, line 3 has 1 cells, the first 2."; 'a.csv: the first line, "0", may name the column …'
 */
export function readCsvTable(text: string, path: string, header?: boolean): CsvTable {
  try {
    return tableOf(text, path, header);
  } catch (error) {
    const vectors = header ? undefined : parseWordVectors(text);
    if (!vectors) throw error;
    return vectorTable(vectors);
  }
}

/** A word a line, and its numbers. */
function vectorTable({ rows, lines }: CsvRows): CsvTable {
  const columns = rows[0].map((_, c): ReadColumn => ({
    name: String(c),
    type: c === 0 ? "text" : "numbers",
    isIndex: false,
    ...(c === 0 ? { text: (row) => rows[row][0] } : { number: (row) => numberOf(rows[row][c], ".") }),
  }));
  return {
    rows: rows.length,
    columns,
    notes: ["read as word vectors: a word and its numbers a line"],
    hasHeader: false,
    lineOf: (row) => lines[row],
    cell: (row, c) => rows[row][c],
  };
}

function tableOf(text: string, path: string, header?: boolean): CsvTable {
  const notes: string[] = [];
  const { rows: all, lines, quoted } = rowsOf(text, path, notes), [first = [], second] = all;
  if (second?.length === first.length + 1 && isOneFewer(all)) {
    first.unshift("");
    quoted[0].unshift(true);
    notes.push("the first line has one cell fewer than the others: their first cells name the rows");
  }
  all.forEach((row, i) => {
    if (row.length === first.length) return;
    throw new Error(`${path}, line ${lines[i]} has ${row.length} cells, the first ${first.length}.`);
  });
  const decimal = decimalMark(all, path);
  if (decimal === ",") notes.push("commas in numbers are read as decimal marks");
  const number = (cell: string) => numberOf(cell, decimal);
  const kindsOf = (some: readonly string[][]) => {
    const columns = first.map((_, c) => some.map((row) => row[c]));
    const kinds = columns.map((cells) => kindOf(cells, number));
    const isName = isPadded(columns[0] ?? []) &&
      columns.some((cells, c) => kinds[c] === "numbers" && !isPadded(cells));
    return isName ? kinds.with(0, "text") : kinds;
  };
  const kindsOfRest = kindsOf(all.slice(1));
  const decided = header === undefined ? decideHeader(all, kindsOfRest, quoted, number, path) : { header };
  if (decided.note) notes.push(decided.note);
  const hasHeader = decided.header;
  const rows = hasHeader ? all.slice(1) : all, shift = all.length - rows.length;
  const names = first.map((name, c) => hasHeader ? name : String(c + 1));
  const kinds = hasHeader ? kindsOfRest : kindsOf(rows);
  // pandas' index, of several levels where several names are missing.
  const unnamed = hasHeader ? Math.max(0, first.findIndex((name) => name !== "")) : 0;
  if (kinds.slice(0, unnamed).includes("numbers") && !(unnamed === 1 && isWhole(rows, 0, /^\d+$/))) {
    notes.push(`what has no name, in front, is left out as the index: ${unnamed} of ${first.length} columns`);
  }
  const unindexed = kinds.slice(0, unnamed).includes("numbers")
    ? rows.findIndex((row) => row[0].trim() === "")
    : -1;
  if (unindexed >= 0) {
    throw new Error(
      `${path}, line ${
        lines[unindexed + 1]
      } has no cell for the index: expected one line of names, so join the names of several.`,
    );
  }
  const found = unnamed > 0 || !hasHeader ? null : namedIndex(first, rows, kinds, number);
  const index = found?.index ?? -1;
  if (found?.note) notes.push(found.note);
  return {
    rows: rows.length,
    columns: names.map((name, c): ReadColumn => ({
      name,
      type: kinds[c],
      isIndex: c === index || c < unnamed && kinds[c] === "numbers",
      ...(kinds[c] === "numbers" && { number: (row: number) => number(rows[row][c]) }),
      ...(kinds[c] === "true or false" && { number: (row: number) => Number(/^\s*t/i.test(rows[row][c])) }),
      ...(kinds[c] === "lists" && {
        list: (row: number) => (rows[row][c].match(/[^\s,[\]]+/g) ?? []).map((item) => numberOf(item, ".")),
      }),
      ...(kinds[c] === "text" && { text: (row: number) => rows[row][c] }),
    })),
    notes,
    hasHeader,
    lineOf: (row) => lines[row + shift],
    cell: (row, c) => rows[row][c],
  };
}

/** The cells, without what stands above them: "sep=;" as Excel has it, and comments. */
function rowsOf(text: string, path: string, notes: string[]): CsvRows {
  const named = /^\ufeff?sep=([,;\t|])(?=\r?\n)/i.exec(text);
  if (named) text = text.slice(named[0].length);
  const head = /^\ufeff?(?:#[^\r\n]*(?:\r\n?|\n))+/.exec(text)?.[0] ?? "", rest = text.slice(head.length);
  const separator = named?.[1] ??
    (/\.(tsv|tab)$/i.test(path) && rest.includes("\t") ? "\t" : separatorOf(rest || text, path));
  const own = separator === BLANKS ? "\t" : separator;
  const tabbed = (some: string) => separator === BLANKS ? some.replace(/^.*$/gm, tabsForBlanks) : some;
  if (head === "" || rest === "") return parseCsvRows(tabbed(text), path, own);
  // A comment with as many cells as the table has is the names, or a row whose name begins so.
  const count = (line: string) => parseCsvRows(line, path, own).rows[0]?.length ?? 0;
  const cells = count(tabbed(rest.slice(0, /[\r\n]|$/.exec(rest.trimStart())!.index)));
  let leftOut = 0;
  const kept = head.replace(/#(.*)/g, (line, comment) => {
    const bare = separator === BLANKS ? tabsForBlanks(comment) : line;
    if (!line.includes('"') && count(bare) === cells) return bare;
    leftOut++;
    return "";
  });
  if (leftOut > 0) notes.push(`lines of comment (#) are passed over: ${leftOut}`);
  return parseCsvRows(kept + tabbed(rest), path, own);
}

/** One line with a tab for the blanks between its cells, but not for those in quotes. */
function tabsForBlanks(line: string): string {
  return line.trim().split('"').map((part, i) => i % 2 === 0 ? part.replace(/ +/g, "\t") : part).join('"');
}

/**
 * The separator by which all lines have equally many cells, of several the one that leaves the largest share of numbers; blanks
 * where the last line has more numbers by them.
 */
function separatorOf(text: string, path: string): string {
  const found = SEPARATORS.filter((one) => text.includes(one));
  const share = (cells: readonly string[]) => {
    const numbers =
      cells.filter((cell) => isNumber(numberOf(cell, ".")) || isNumber(numberOf(cell, ","))).length;
    return [numbers / cells.length, numbers];
  };
  let best = found[0] ?? ",", most = -1;
  if (found.length > 1) {
    best = ",";
    for (const separator of found) {
      let rows: string[][];
      try {
        ({ rows } = parseCsvRows(text, path, separator));
      } catch {
        continue; // its quotes belong to another
      }
      if (rows.length === 0 || rows[0].length < 2 || rows.some(({ length }) => length !== rows[0].length)) {
        continue;
      }
      const [own] = share(rows.slice(-1)[0]);
      if (own > most) [best, most] = [separator, own];
    }
  }
  const end = text.slice(-MAX_LINE).trimEnd();
  const last = end.slice(Math.max(end.lastIndexOf("\n"), end.lastIndexOf("\r")) + 1);
  if (/[;\t|]/.test(last)) return best;
  const [byBlanks, numbers] = share(tabsForBlanks(last).split("\t"));
  return numbers > 1 && byBlanks > share(last.split(best))[0] ? BLANKS : best;
}

/** Whether the first line is as R writes it: names of the columns alone, where the others begin with the name of a row. */
function isOneFewer([first, ...rest]: readonly string[][]): boolean {
  return rest.every(({ length }) => length === first.length + 1) && rest.some((row) => row.at(-1) !== "") &&
    first.some((name) => !isNumber(numberOf(name, ".")) && name !== "");
}

/** Whether all are whole numbers of equal length, some with zeros in front: no program writes numbers so. */
function isPadded(cells: readonly string[]): boolean {
  return cells.length > 1 && cells.some((cell) => /^0\d/.test(cell)) &&
    cells.every((cell) => /^\d+$/.test(cell) && cell.length === cells[0].length);
}

/** A comma where cells hold decimal commas; never beside decimal points. */
function decimalMark(rows: readonly string[][], path: string): "." | "," {
  const holding = (mark: string) => rows.flatMap((row) => row.filter((cell) => cell.includes(mark)));
  const commas = holding(",").map((cell) => cell.trim())
    .filter((cell) => /^[+-]?\d*(?:,\d+)+(?:e[+-]?\d+)?$/i.test(cell));
  if (commas.length === 0) return ".";
  const points = holding(".").map((cell) => cell.trim())
    .find((cell) => /^[+-]?[\d.]*\.\d+(?:,\d+)?(?:e[+-]?\d+)?$/i.test(cell));
  const isUnclear = commas.every((cell) => /^[+-]?[1-9]\d{0,2}(?:,\d{3})+$/.test(cell));
  if (points === undefined && !isUnclear) return ",";
  throw new Error(
    `${path} has "${commas[0]}"${
      points ? ` and "${points}"` : ""
    }: commas may be decimal marks or part thousands; ` +
      "save it with decimal points only.",
  );
}

function numberOf(cell: string, decimal: "." | ","): number | null {
  if (decimal === "," && cell.includes(".")) return null;
  const text = (decimal === "," ? cell.replace(",", ".") : cell).trim();
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[ed][+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text.replace(/d/i, "e"));
  return Number.isFinite(value) ? value : null;
}

function isNumber(value: number | null): boolean {
  return value !== null;
}

/** Numbers where the first cell, or more than half of all, are some; a cell that is none is then an error of its line. */
function kindOf(cells: readonly string[], number: (cell: string) => number | null): string {
  if (cells.length > 0 && cells.every((cell) => /^\s*(?:true|false)\s*$/i.test(cell))) return "true or false";
  if (cells.length > 0 && cells.every((cell) => cell.trim() === "")) return "empty";
  if (cells.length > 0 && cells.every((cell) => LIST.test(cell))) return "lists";
  let numbers = 0, without = 0;
  for (const cell of cells) {
    if (isNumber(number(cell))) numbers++;
    else if (NO_VALUE.test(cell)) without++;
  }
  const isStart = cells.length > 0 && isNumber(number(cells[0]));
  return isStart || numbers + without > MOST * cells.length && numbers + without > 0 && numbers > 0 ||
      without > 0 && without === cells.length
    ? "numbers"
    : "text";
}

/** Whether a column holds whole numbers only. */
function isWhole(rows: readonly string[][], c: number, pattern: RegExp): boolean {
  return rows.every((row) => pattern.test(row[c]));
}

/**
 * A first column with a name that is the index: the only name among numbers, or a count of the rows that is named like one.
 *
 * @returns −1 where there is none, and what is to be said of a column that counts the rows under another name
 */
function namedIndex(
  names: readonly string[],
  rows: readonly string[][],
  kinds: readonly string[],
  number: (cell: string) => number | null,
): { index: number; note?: string } {
  if (kinds[0] !== "numbers" || kinds.filter((kind) => kind === "numbers").length < 2) return { index: -1 };
  const others = names.slice(1);
  if (number(names[0]) === null && others.length > 1 && others.every((name) => isNumber(number(name)))) {
    return { index: 0 };
  }
  const start = number(rows[0][0]);
  const isCounting = (start === 0 || start === 1) && rows.length > 2 && isWhole(rows, 0, WHOLE) &&
    rows.every((row, i) => number(row[0]) === start + i);
  if (!isCounting) return { index: -1 };
  if (INDEX_NAME.test(names[0].trim())) return { index: 0 };
  return { index: -1, note: `"${names[0]}" counts the rows, and is read as a dimension` };
}

/** Whether the first line names the columns, with what is to be said of it. */
interface HeaderDecision {
  header: boolean;
  note?: string;
}

/**
 * Decides by the columns of numbers, as text may be a name or a value.
 *
 * @throws Error when nothing says which
 */
function decideHeader(
  all: readonly string[][],
  kindsOfRest: readonly string[],
  quoted: readonly boolean[][],
  number: (cell: string) => number | null,
  path: string,
): HeaderDecision {
  const [first = [], ...rest] = all;
  if (first[0] === "" && first.length > 1) return { header: true };
  if (kindsOfRest.some((kind, c) => kind === "lists" && !LIST.test(first[c]))) return { header: true };
  if (rest.length === 0) return { header: first.some((cell) => !isNumber(number(cell))) };
  const columns = first.flatMap((_, c) => kindsOfRest[c] === "numbers" ? [c] : []);
  const named = columns.find((c) => !isNumber(number(first[c])) && !NO_VALUE.test(first[c]));
  const names = (why: string) => ({ header: true, note: `the first line is read as names, as ${why}` });
  if (named !== undefined) {
    const isMixed = columns.some((c) => isNumber(number(first[c])));
    return isMixed ? names(`"${first[named]}" stands over numbers`) : { header: true };
  }
  const cells = columns.map((c) => first[c].trim()), values = cells.map((cell) => number(cell) ?? NaN);
  const count = columns.length, shown = cells.slice(0, 4).join(", ") + (count > 4 ? ", …" : "");
  if (count === 0 || values.some(Number.isNaN)) return { header: false };
  if (columns.every((c) => quoted[0][c] && !quoted[1][c])) return names("its numbers stand in quotes");
  const others = rest.map((row) => columns.map((c) => number(row[c]) ?? NaN));
  const isYears = (some: number[]) =>
    new Set(some).size === count && some.every((value) => value >= FIRST_YEAR && value <= LAST_YEAR);
  const isAscending = (some: number[]) => some.every((value, i) => i === 0 || value > some[i - 1]);
  const isWhole = cells.every((cell) => WHOLE.test(cell));
  const haveMarks = rest.length > 1 && rest.every((row) => columns.every((c) => /[.,e]/i.test(row[c])));
  if (isWhole && isYears(values) && !others.some(isYears)) return names(`${shown} are years`);
  if (isWhole && count > 1 && haveMarks) {
    return names(`${shown} are whole numbers, and all others are written as fractions`);
  }
  if (!isAscending(values)) return { header: false };
  const isCounting = values.every((value, i) => value === i);
  const fractions = columns.filter((c) => rest.some((row) => !WHOLE.test(row[c].trim()))).length;
  if (isWhole && fractions > MOST * count && (count > 2 || count === 2 && isCounting)) {
    return names(`${shown} are whole, ascending numbers over others`);
  }
  if (
    isWhole && isCounting && count > 2 &&
    others.some((row) => row.some((value) => !(value >= 0 && value < count)))
  ) {
    return names(`${shown} count the columns`);
  }
  if (count >= MANY && !others.some(isAscending)) {
    return names(`${shown} ascend, and no other line's numbers do`);
  }
  const isBinary = others.every((row) => row.every((value) => value === 0 || value === 1));
  const isUnclear = isWhole && !isBinary && (isCounting || count === 2 && fractions === count);
  if (isUnclear && (count > 1 || fractions > 0)) {
    throw new Error(
      `${path}: the first line, ${shown}, may name the columns or hold numbers: say which by the option header ` +
        "(in a script, header: true or false).",
    );
  }
  return count > 2 && (isWhole || !others.some(isAscending))
    ? { header: false, note: `the first line, ${shown}, is read as numbers, not as names` }
    : { header: false };
}
