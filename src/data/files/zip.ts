/**
 * ZIP archives of members that are stored or deflated, with ZIP64's wide fields: NumPy's .npz, Python's wheels. Own, as no
 * reader at hand checks the CRC of what it unpacks.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { reasonOf } from "./atomic_write.ts";
import { openFile, readAt } from "../formats/npy.ts";

/** What an archive is called in sentences. */
export interface ArchiveKind {
  /** With its article: "a .npz file". */
  name: string;
  /** How a good one is made: "save it with numpy.savez". */
  remedy: string;
}

/** One file of an archive. */
export interface ZipMember {
  /** Its path inside. */
  name: string;
  /** Bytes as stored, and unpacked. */
  packed: number;
  size: number;
  isDeflated: boolean;
  crc: number;
  /** Where its local header begins. */
  at: number;
}

const END = 0x06054b50, END_64 = 0x06064b50, LOCATOR_64 = 0x07064b50, ENTRY = 0x02014b50, LOCAL = 0x04034b50;
/** The end of an archive with the longest comment. */
const END_BYTES = 22 + 65_535;
/** Of the list of members: more is damage. */
const MAX_LIST = 2 ** 26;
/** What one member may have: more does not fit one buffer. */
const MAX_MEMBER = 2 ** 32;
/** Deflate packs no better. */
const DEFLATE_RATIO = 1032;
const STORED = 0, DEFLATED = 8;

/**
 * Lists the files of an archive.
 *
 * @param path of the archive
 * @param kind what it should be
 * @returns in the archive's order; folders among them, as names that end in "/"
 * @throws Error "There is no file a.npz."; "a.npz is not a .npz file …"; "a.npz is damaged: …"
 */
export async function listZip(path: string, kind: ArchiveKind): Promise<ZipMember[]> {
  using file = await openFile(path);
  const { size } = await file.stat();
  const endAt = Math.max(0, size - END_BYTES), end = await readAt(file, endAt, END_BYTES);
  let at = end.length - 22;
  const view = viewOf(end);
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) {
    throw new Error(
      `${path} is not ${kind.name}, or is cut short: ${kind.remedy}, or copy it again.`,
    );
  }
  let count = view.getUint16(at + 10, true),
    length = view.getUint32(at + 12, true),
    from = view.getUint32(at + 16, true);
  if (at >= 20 && view.getUint32(at - 20, true) === LOCATOR_64) {
    const wide = viewOf(await readAt(file, wholeAt(view, at - 12, path), 56));
    if (wide.byteLength < 56 || wide.getUint32(0, true) !== END_64) throw damaged(path, "its end");
    [count, length, from] = [32, 40, 48].map((field) => wholeAt(wide, field, path));
  }
  if (!(length <= MAX_LIST && from + length <= size)) throw damaged(path, "its list of members");
  const list = await readAt(file, from, length), members: ZipMember[] = [];
  for (let i = 0, next = 0; i < count; i++) {
    const { member, end } = entryAt(list, next, path, kind);
    next = end;
    if (member.at + 30 + member.packed > size) throw damaged(path, `the place of "${member.name}"`);
    members.push(member);
  }
  return members;
}

/** One entry of the list. */
function entryAt(
  list: Uint8Array,
  at: number,
  path: string,
  { remedy }: ArchiveKind,
): { member: ZipMember; end: number } {
  const view = viewOf(list);
  if (at + 46 > list.length || view.getUint32(at, true) !== ENTRY) throw damaged(path, "its list of members");
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
  const extraAt = at + 46 + nameBytes, end = extraAt + extraBytes + commentBytes;
  if (end > list.length) throw damaged(path, "its list of members");
  const name = new TextDecoder().decode(list.subarray(at + 46, extraAt));
  const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
  if (flags & 1) throw new Error(`${path}: "${name}" is encrypted: ${remedy}.`);
  if (method !== STORED && method !== DEFLATED) {
    throw new Error(`${path}: "${name}" is packed by method ${method}: ${remedy}.`);
  }
  const wide = wideFields(list.subarray(extraAt, extraAt + extraBytes), path);
  // In this order, each where the narrow field is full.
  const [size, packed, place] = [24, 20, 42].map((field) => {
    const narrow = view.getUint32(at + field, true);
    return narrow === 0xffffffff ? wide() : narrow;
  });
  const isDeflated = method === DEFLATED;
  if (size > MAX_MEMBER) {
    throw new Error(`${path}: "${name}" has ${size} bytes, at most ${MAX_MEMBER} are read.`);
  }
  if (isDeflated ? size > DEFLATE_RATIO * packed : size !== packed) {
    throw damaged(path, `the size of "${name}"`);
  }
  return { member: { name, packed, size, isDeflated, crc: view.getUint32(at + 16, true), at: place }, end };
}

/** Gives ZIP64's wide fields of an entry, one after the other. */
function wideFields(extra: Uint8Array, path: string): () => number {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const kind = view.getUint16(at, true), length = view.getUint16(at + 2, true);
    if (kind === 1) {
      const own = viewOf(extra.subarray(at + 4, at + 4 + length));
      let field = 0;
      return () => wholeAt(own, (field += 8) - 8, path);
    }
    at += 4 + length;
  }
  return () => {
    throw damaged(path, "its list of members");
  };
}

/**
 * Reads one file of an archive.
 *
 * @param path of the archive
 * @param member as `listZip` gives it
 * @throws Error "a.npz is damaged: …"
 */
export async function readZipMember(path: string, member: ZipMember): Promise<Uint8Array<ArrayBuffer>> {
  using file = await openFile(path);
  const local = viewOf(await readAt(file, member.at, 30));
  if (local.byteLength < 30 || local.getUint32(0, true) !== LOCAL) throw damaged(path, `"${member.name}"`);
  const from = member.at + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const packed = await readAt(file, from, member.packed);
  if (packed.length < member.packed) throw damaged(path, `"${member.name}" is cut short`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = member.isDeflated
      ? new Uint8Array(inflateRawSync(packed, { maxOutputLength: Math.max(1, member.size) }))
      : packed;
  } catch (error) {
    throw damaged(path, `"${member.name}" cannot be unpacked (${reasonOf(error)})`);
  }
  if (bytes.length !== member.size || crc32(bytes) !== member.crc) {
    throw damaged(path, `"${member.name}" does not have its checksum`);
  }
  return bytes;
}

function wholeAt(view: DataView, at: number, path: string): number {
  if (at + 8 > view.byteLength) throw damaged(path, "its list of members");
  const whole = Number(view.getBigUint64(at, true));
  if (Number.isSafeInteger(whole)) return whole;
  throw damaged(path, "its list of members");
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function damaged(path: string, what: string): Error {
  return new Error(`${path} is damaged: ${what}; copy it again.`);
}
