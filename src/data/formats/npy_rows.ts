/** Rows of NumPy files, read and written in parts. */
import { abandonBeside, openBeside, reasonOf, writeAll } from "../files/atomic_write.ts";
import { encodeNpyHeader, float32Of, type NpyHeader, openFile, readAt, typeOf, valuesOf } from "./npy.ts";

/** Bytes of columns that are read at a time where the rows of a file are scattered. */
const COLUMN_BYTES = 2 ** 26;

/**
 * Reads some rows of a matrix as float32, without holding the others.
 *
 * @param path a file of shape (rows, cols), of any type and order that `readNpy` reads
 * @param header of the file, as `readNpyHeader` gave it
 * @param first the first row
 * @param count number of rows
 * @returns count × cols values, row-major; in Fortran order the whole file is passed over, 64 MB at a time
 * @throws RangeError "a.npy has 10 rows: rows 8 to 11 were asked for."
 * @throws Error "a.npy is cut short: …"; "a.npy has shape (10), expected rows × columns."
 */
export async function readNpyRows(
  path: string,
  header: NpyHeader,
  first: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  const { shape, offset, fortranOrder } = header;
  if (shape.length !== 2) {
    throw new Error(`${path} has shape (${shape.join(", ")}), expected rows × columns.`);
  }
  const [rows, cols] = shape;
  assertRowsThere(path, rows, first, count);
  using file = await openFile(path);
  const found = typeOf(header, path), each = found.type.BYTES_PER_ELEMENT;
  const values = async (from: number, length: number) => {
    const bytes = await readAt(file, offset + from * each, length * each);
    if (bytes.length === length * each) return valuesOf(found, bytes, length);
    throw new Error(`${path} is cut short: row ${first + count - 1} ends beyond the file; copy it again.`);
  };
  if (!fortranOrder) return float32Of(await values(first * cols, count * cols));
  const out = new Float32Array(count * cols), some = Math.max(1, Math.floor(COLUMN_BYTES / (rows * each)));
  for (let from = 0; from < cols; from += some) {
    const width = Math.min(some, cols - from), block = await values(from * rows, width * rows);
    for (let col = 0; col < width; col++) {
      for (let row = 0; row < count; row++) {
        out[row * cols + from + col] = Number(block[col * rows + first + row]);
      }
    }
  }
  return out;
}

/**
 * Refuses rows that a matrix has not.
 *
 * @throws RangeError "a.npy has 10 rows: rows 8 to 11 were asked for."
 */
export function assertRowsThere(path: string, rows: number, first: number, count: number): void {
  if (first >= 0 && count >= 0 && first + count <= rows && Number.isInteger(first + count)) return;
  throw new RangeError(`${path} has ${rows} rows: rows ${first} to ${first + count - 1} were asked for.`);
}

/** Bytes of rows that are written at a time. */
const ROW_BYTES = 2 ** 26;

/**
 * Writes a float32 matrix as .npy without holding all of it.
 *
 * @param path where to; the file appears whole or not at all
 * @param shape rows and columns
 * @param rowsOf makes count rows from the first on
 * @throws Error "Cannot write a.npy: No space left on device."
 */
export async function writeNpyRows(
  path: string,
  [rows, cols]: readonly [number, number],
  rowsOf: (first: number, count: number) => Float32Array,
): Promise<void> {
  const opened = await openBeside(path), some = Math.max(1, Math.floor(ROW_BYTES / (4 * cols)));
  try {
    await writeAll(opened.file, encodeNpyHeader("<f4", [rows, cols]));
    for (let first = 0; first < rows; first += some) {
      const { buffer, byteOffset, byteLength } = rowsOf(first, Math.min(some, rows - first));
      await writeAll(opened.file, new Uint8Array(buffer, byteOffset, byteLength));
    }
    opened.file.close();
    await Deno.rename(opened.beside, path);
  } catch (error) {
    await abandonBeside(opened);
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}
