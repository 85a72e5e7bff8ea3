/** Features on disk: one Arrow IPC file a layer, one row a token, read back panel by panel. */
import { open } from "node:fs/promises";
import {
  DataType,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Int16,
  Int32,
  makeData,
  Precision,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
} from "apache-arrow";
import { checkArrow } from "../formats/arrow_check.ts";
import { abandonBeside, openBeside, reasonOf } from "../files/atomic_write.ts";
import { assertPlainFile } from "../files/plain_file.ts";

/** Bytes of vectors that a file's writer holds before it waits for the disk. */
const MAX_QUEUED = 2 ** 22;

/** How the vectors are stored. */
export type FeatureType = "float16" | "float32";

/** A feature file being written; nothing stands under its final name before `finish`. */
export interface FeatureWriter {
  /** Adds the tokens of one or more images: vectors are rows × width, row-major. Resolves when few of them wait for the disk. */
  write(rows: { image: Int32Array; token: Int16Array; vectors: Float32Array }): Promise<void>;
  finish(): Promise<void>;
  /** Closes and removes what was written. */
  abandon(): Promise<void>;
}

/** A feature file open for reading. */
export interface FeatureFile {
  rows: number;
  cols: number;
  /** What the writer noted: model, layer, images and so on. */
  meta: Map<string, string>;
  /** Rows [start, end) as float32, row-major. */
  readRows(start: number, end: number): Promise<Float32Array>;
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a feature file with columns image (int32), layer (int16), token (int16), vector (fixed-size list).
 *
 * @param path its final name; it is written beside and renamed by `finish`
 * @param meta noted in the file
 */
export async function createFeatures(
  path: string,
  layer: number,
  width: number,
  dtype: FeatureType,
  meta: Record<string, string>,
): Promise<FeatureWriter> {
  const vector = new FixedSizeList(
    width,
    new Field("item", dtype === "float16" ? new Float16() : new Float32(), false),
  );
  const fields = [
    new Field("image", new Int32(), false),
    new Field("layer", new Int16(), false),
    new Field("token", new Int16(), false),
    new Field("vector", vector, false),
  ];
  const schema = new Schema(
    fields,
    new Map(Object.entries({ ...meta, layer: String(layer), width: String(width), dtype })),
  );
  const opened = await openBeside(path), { file, beside } = opened;
  const writer = new RecordBatchFileWriter();
  writer.reset(undefined, schema);
  let queued = 0, goOn = () => {};
  const pump = (async () => {
    for await (const chunk of writer) {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      queued -= chunk.length;
      goOn();
    }
  })();
  const ended = pump.catch(() => {}); // reported by finish
  const abandon = async () => {
    writer.abort();
    await ended;
    await abandonBeside(opened);
  };
  return {
    async write({ image, token, vectors }) {
      const length = image.length;
      const values = dtype === "float16" ? new Uint16Array(new Float16Array(vectors).buffer) : vectors;
      const item = makeData({
        type: vector.children[0].type,
        length: length * width,
        data: values as Float32Array,
      });
      const children = [
        makeData({ type: new Int32(), data: image }),
        makeData({ type: new Int16(), data: new Int16Array(length).fill(layer) }),
        makeData({ type: new Int16(), data: token }),
        makeData({ type: vector, length, nullCount: 0, child: item }),
      ];
      writer.write(
        new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children })),
      );
      queued += values.byteLength;
      while (queued > MAX_QUEUED) {
        const wrote = new Promise<boolean>((resolve) => goOn = () => resolve(true));
        if (!await Promise.race([wrote, ended])) break; // by an error
      }
    },
    async finish() {
      try {
        writer.close();
        await pump;
        await file.sync();
        file.close();
        await Deno.rename(beside, path);
      } catch (error) {
        await abandon();
        throw new Error(`Cannot write the features ${path}: ${reasonOf(error)}.`);
      }
    },
    abandon,
  };
}

/**
 * Opens a feature file for reading by random access: only the batches that hold the rows asked for are read.
 *
 * @throws Error "Cannot read the features …" when the file is absent, cut short, or no feature file
 */
export async function openFeatureFile(path: string): Promise<FeatureFile> {
  const broken = (why: string) => new Error(`Cannot read the features ${path}: ${why}; extract them again.`);
  let handle;
  try {
    await assertPlainFile(path);
    handle = await open(path);
  } catch (error) {
    throw new Error(`Cannot read the features ${path}: ${reasonOf(error)}.`);
  }
  try {
    await checkArrow({
      size: (await handle.stat()).size,
      async read(from, count) {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(count), 0, count, from);
        return buffer.subarray(0, bytesRead);
      },
    });
    const reader = await RecordBatchReader.from(handle);
    await reader.open();
    if (!reader.isFile()) throw broken("it is not an Arrow file, or is cut short");
    const type = reader.schema.fields.find(({ name }) => name === "vector")?.type;
    const item = type instanceof FixedSizeList ? type.valueType : null;
    if (!DataType.isFloat(item) || item.precision === Precision.DOUBLE) {
      throw broken("it has no column of float16 or float32 vectors");
    }
    const cols = (type as FixedSizeList).listSize;
    const starts = [0];
    const readBatch = async (index: number): Promise<RecordBatch> => {
      const batch = await reader.readRecordBatch(index).catch(() => null);
      if (!batch) throw broken(`batch ${index} is missing or damaged`);
      return batch;
    };
    // Every batch but the last is as long as the first.
    const count = reader.numRecordBatches;
    if (count > 0) {
      const first = (await readBatch(0)).numRows, last = count > 1 ? (await readBatch(count - 1)).numRows : 0;
      for (let i = 1; i < count; i++) starts.push(i * first);
      starts.push(count > 1 ? (count - 1) * first + last : first);
    }
    const rows = starts.at(-1)!;
    // Before anything of the size that the file claims is made.
    const { size } = await handle.stat();
    if (!(cols > 0 && rows * cols * (item.precision === Precision.HALF ? 2 : 4) <= size)) {
      throw broken(`${size} bytes do not hold the ${rows} × ${cols} values that it claims`);
    }
    return {
      rows,
      cols,
      meta: reader.schema.metadata,
      async readRows(start, end) {
        if (!(start >= 0 && start <= end && end <= rows)) {
          throw new RangeError(`${path} has ${rows} rows, not ${start} to ${end}.`);
        }
        const out = new Float32Array((end - start) * cols);
        for (let i = 0; i < count; i++) {
          const from = Math.max(start, starts[i]), to = Math.min(end, starts[i + 1]);
          if (from >= to) continue;
          const vectors = (await readBatch(i)).getChild("vector")?.data[0];
          const values: unknown = vectors?.children[0]?.values;
          const numbers = values instanceof Uint16Array
            ? new Float16Array(values.buffer, values.byteOffset, values.length)
            : values;
          const isWhole = (numbers instanceof Float16Array || numbers instanceof Float32Array) &&
            numbers.length >= (to - starts[i]) * cols;
          if (!isWhole) throw broken(`batch ${i} is cut short`);
          out.set(
            numbers.subarray((from - starts[i]) * cols, (to - starts[i]) * cols),
            (from - start) * cols,
          );
        }
        return out;
      },
      close: () => handle.close(),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error instanceof Error && error.message.startsWith("Cannot read")
      ? error
      : broken("it is not an Arrow file, or is cut short");
  }
}
