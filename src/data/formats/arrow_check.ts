/**
 * Checks the tables of an Arrow IPC file before anything follows their offsets: apache-arrow trusts them, and a damaged
 * length makes it go round for a long time or fail without a reason. Formats: flatbuffers, and Arrow's File.fbs, Schema.fbs
 * and Message.fbs.
 */

/** Bytes of a file, read as needed. */
export interface ArrowBytes {
  size: number;
  read(from: number, count: number): Promise<Uint8Array> | Uint8Array;
}

const MAGIC = "ARROW1";
/** Fields in fields. */
const DEEPEST = 16;
const BLOCK = 24, NODE = 16, BUFFER = 16;

/**
 * Checks a whole file: its ends, the footer, and the header of every batch.
 *
 * @throws Error a reason to put in a sentence, as "it is cut short"
 */
export async function checkArrow({ size, read }: ArrowBytes): Promise<void> {
  if (size < 24 || !startsWith(await read(0, 6))) throw new Error("it is not an Arrow file");
  const end = await read(size - 10, 10);
  if (!startsWith(end.subarray(4))) throw new Error("it is cut short");
  const length = new DataView(end.buffer, end.byteOffset).getInt32(0, true);
  if (!(length > 0 && length + 18 <= size)) throw damaged("footer");
  const blocks = footerBlocks(viewOf(await read(size - 10 - length, length)));
  for (const { offset, header, body } of blocks) {
    if (!(offset >= 8 && header > 0 && body >= 0 && offset + header + body <= size - 10)) {
      throw damaged("list of batches");
    }
    await checkBatch(
      viewOf(await read(offset, header)),
      body,
      async (from) => viewOf(await read(offset + header + from, 8)),
    );
  }
}

/** The bytes of a file that is in memory. */
export function inMemory(bytes: Uint8Array): ArrowBytes {
  return { size: bytes.length, read: (from, count) => bytes.subarray(from, from + count) };
}

function startsWith(bytes: Uint8Array): boolean {
  return [...MAGIC].every((letter, i) => bytes[i] === letter.charCodeAt(0));
}

/** What to say of a part that does not fit. */
export function damaged(what: string): Error {
  return new Error(`its ${what} is damaged`);
}

/** The bytes as numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The place of a field of a flatbuffers table, or 0 where it has none. */
export type Field = (index: number) => number;

/** The fields of a flatbuffers table. */
export function tableAt(view: DataView, at: number): Field {
  const size = view.byteLength;
  if (!(at >= 0 && at + 4 <= size)) throw damaged("header");
  const vtable = at - view.getInt32(at, true);
  if (!(vtable >= 0 && vtable + 4 <= size)) throw damaged("header");
  const vsize = view.getUint16(vtable, true), tsize = view.getUint16(vtable + 2, true);
  if (!(vsize >= 4 && vtable + vsize <= size && at + tsize <= size)) throw damaged("header");
  return (index) => {
    const entry = 4 + 2 * index, offset = entry + 2 <= vsize ? view.getUint16(vtable + entry, true) : 0;
    if (offset + 4 > tsize && offset > 0 && offset >= tsize) throw damaged("header");
    return offset === 0 ? 0 : at + offset;
  };
}

/** Where an offset points. */
export function follow(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw damaged("header");
  const to = at + view.getUint32(at, true);
  if (to + 4 > view.byteLength) throw damaged("header");
  return to;
}

/** First item and number of items of a vector. */
export function vectorAt(view: DataView, at: number, bytesEach: number): { first: number; count: number } {
  if (at === 0) return { first: 0, count: 0 };
  const start = follow(view, at), count = view.getUint32(start, true);
  if (start + 4 + count * bytesEach > view.byteLength) throw damaged("header");
  return { first: start + 4, count };
}

/** A whole number of 64 bits. */
export function whole(view: DataView, at: number): number {
  if (at + 8 > view.byteLength) throw damaged("header");
  return Number(view.getBigInt64(at, true));
}

function footerBlocks(view: DataView): { offset: number; header: number; body: number }[] {
  const footer = tableAt(view, follow(view, 0));
  if (footer(1) === 0) throw damaged("schema");
  checkSchema(view, follow(view, footer(1)));
  checkPairs(view, footer(4));
  return [2, 3].flatMap((index) => {
    const { first, count } = vectorAt(view, footer(index), BLOCK);
    return Array.from({ length: count }, (_, i) => {
      const at = first + i * BLOCK;
      return { offset: whole(view, at), header: view.getInt32(at + 8, true), body: whole(view, at + 16) };
    });
  });
}

function checkSchema(view: DataView, at: number): void {
  const schema = tableAt(view, at), { first, count } = vectorAt(view, schema(1), 4);
  for (let i = 0; i < count; i++) checkField(view, follow(view, first + 4 * i), DEEPEST);
  checkPairs(view, schema(2));
}

function checkField(view: DataView, at: number, deepest: number): void {
  if (deepest === 0) throw damaged("schema");
  const field = tableAt(view, at);
  if (field(0) > 0) vectorAt(view, field(0), 1);
  if (field(3) === 0) throw damaged("schema");
  tableAt(view, follow(view, field(3)));
  if (field(4) > 0) tableAt(view, follow(view, field(4)));
  const { first, count } = vectorAt(view, field(5), 4);
  for (let i = 0; i < count; i++) checkField(view, follow(view, first + 4 * i), deepest - 1);
  checkPairs(view, field(6));
}

/** Metadata: pairs of texts. */
function checkPairs(view: DataView, at: number): void {
  const { first, count } = vectorAt(view, at, 4);
  for (let i = 0; i < count; i++) {
    const pair = tableAt(view, follow(view, first + 4 * i));
    for (const index of [0, 1]) if (pair(index) > 0) vectorAt(view, pair(index), 1);
  }
}

/** Bytes that one byte may have been before ZSTD or LZ4: 128 KB in 4 bytes. */
const MAX_COMPRESSED = 2 ** 15;

/** The message of one batch or dictionary, and its buffers in a body of N bytes. */
async function checkBatch(
  view: DataView,
  body: number,
  eightBytesOfBody: (from: number) => Promise<DataView>,
): Promise<void> {
  const start = view.byteLength >= 8 && view.getInt32(0, true) === -1 ? 8 : 4;
  if (view.byteLength < start || view.getInt32(start - 4, true) !== view.byteLength - start) {
    throw damaged("batch");
  }
  const message = tableAt(
    view,
    start + follow(new DataView(view.buffer, view.byteOffset + start, view.byteLength - start), 0),
  );
  const kind = message(1) > 0 ? view.getUint8(message(1)) : 0;
  if ((kind !== 2 && kind !== 3) || message(2) === 0) throw damaged("batch");
  let header = follow(view, message(2));
  if (kind === 2) {
    const dictionary = tableAt(view, header);
    if (dictionary(1) === 0) throw damaged("dictionary");
    header = follow(view, dictionary(1));
  }
  const batch = tableAt(view, header), isCompressed = batch(3) > 0;
  const nodes = vectorAt(view, batch(1), NODE), buffers = vectorAt(view, batch(2), BUFFER);
  let values = isCompressed ? 0 : body;
  for (let i = 0; i < buffers.count; i++) {
    const offset = whole(view, buffers.first + i * BUFFER),
      length = whole(view, buffers.first + i * BUFFER + 8);
    if (!(offset >= 0 && length >= 0 && offset + length <= body)) throw damaged("batch");
    if (!isCompressed || length < 8) continue;
    const before = Number((await eightBytesOfBody(offset)).getBigInt64(0, true)); // −1 where it is as it was
    if (!(before >= -1 && before <= length * MAX_COMPRESSED)) throw damaged("batch");
    values += before < 0 ? length : before;
  }
  const most = 8 * values, rows = batch(0) > 0 ? whole(view, batch(0)) : 0;
  if (!(rows >= 0 && rows <= most)) throw damaged("batch");
  for (let i = 0; i < nodes.count; i++) {
    const length = whole(view, nodes.first + i * NODE);
    if (!(length >= 0 && length <= most)) throw damaged("batch");
  }
}
