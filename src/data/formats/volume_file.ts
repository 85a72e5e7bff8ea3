/**
 * Volumes of numbers and values on surfaces as brain imaging keeps them: NIfTI-1 and -2 (.nii) and FreeSurfer's MGH (.mgh), plain
 * or gzipped (.nii.gz, .mgz), frame after frame. Own, as the readers at hand neither swap bytes nor scale values, or
 * miss the members of a gzip file after its first (docs/formats.md).
 */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { pipeline } from "node:stream";
import { reasonOf } from "../files/atomic_write.ts";
import { assertPlainFile, isThere, readError } from "../files/plain_file.ts";
import { type Affine, affineOf } from "./nifti_affine.ts";

/** How values are stored. */
export type ValueType = keyof typeof TYPES;

/** An open file; its frames are read one after the other. */
export interface VolumeFile {
  path: string;
  /** Values along x, y and z, x varying fastest; of a surface vertices × 1 × 1. */
  size: readonly [number, number, number];
  /** Frames, such as trials. */
  frames: number;
  type: ValueType;
  /** Where voxels lie, in NIfTI that says it. */
  affine?: Affine;
  /**
   * Reads the next frame.
   *
   * @param voxels indices of the values wanted, x + size[0] · (y + size[1] · z); default all
   * @returns a value for each, scaled as the file says
   * @throws Error "a.nii.gz is cut short: …"; "a.nii.gz is damaged (…): copy it again."
   */
  next(voxels?: Uint32Array): Promise<Float64Array>;
  /** Reads to the end of the file, so that what is cut or damaged there is found. @throws Error as `next` */
  finish(): Promise<void>;
  /** Closes the file. */
  [Symbol.dispose](): void;
}

type Get = (view: DataView, at: number, little: boolean) => number;

/** Bytes of a value, and how to get it. */
const TYPES = {
  int8: [1, (view, at) => view.getInt8(at)],
  uint8: [1, (view, at) => view.getUint8(at)],
  int16: [2, (view, at, little) => view.getInt16(at, little)],
  uint16: [2, (view, at, little) => view.getUint16(at, little)],
  int32: [4, (view, at, little) => view.getInt32(at, little)],
  uint32: [4, (view, at, little) => view.getUint32(at, little)],
  int64: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  uint64: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  float32: [4, (view, at, little) => view.getFloat32(at, little)],
  float64: [8, (view, at, little) => view.getFloat64(at, little)],
} as const satisfies Record<string, readonly [number, Get]>;

/** NIfTI's and MGH's numbers of types; those without a name are not real numbers, or wider than 64 bits. */
const NIFTI_TYPES: Record<number, ValueType> = {
  2: "uint8",
  4: "int16",
  8: "int32",
  16: "float32",
  64: "float64",
  256: "int8",
  512: "uint16",
  768: "uint32",
  1024: "int64",
  1280: "uint64",
};
const MGH_TYPES: Record<number, ValueType> = { 0: "uint8", 1: "int32", 3: "float32", 4: "int16" };

/** Bytes of headers; those of NIfTI begin with their own number. */
const NIFTI_1 = 348, NIFTI_2 = 540, MGH_BYTES = 284;
/** Of one frame: more is damage. */
const MAX_FRAME = 2 ** 30;
/** Bytes read, or unpacked, at a time; those that may follow the last frame, as MGH's notes do. */
const PIECE = 2 ** 20, MAX_REST = 2 ** 24;
/** Deflate packs no better. */
const DEFLATE_RATIO = 1032;
/** Names of such files, and of those that are gzipped. */
const IS_PACKED = /\.(?:gz|mgz)$/i, NAMES = /\.(?:nii|mgh|nii\.gz|mgz)$/i;

interface Header extends Pick<VolumeFile, "size" | "frames" | "type" | "affine"> {
  isLittle: boolean;
  /** Bytes before the first value. */
  offset: number;
  /** value · slope + intercept. */
  slope: number;
  intercept: number;
}

/**
 * Opens a file.
 *
 * @param path ends in .nii, .nii.gz, .mgh or .mgz
 * @throws Error "There is no file a.nii.gz."; "a.nii.gz is not a NIfTI file …"; "a.mgz has values of type 2, …"; "a.nii.gz is cut short: …"
 */
export async function openVolume(path: string): Promise<VolumeFile> {
  if (!NAMES.test(path)) throw new Error(`${path} is not a volume: expected .nii, .nii.gz, .mgh or .mgz.`);
  try {
    await assertPlainFile(path);
  } catch (error) {
    throw readError(error, path);
  }
  const source = openSource(path);
  try {
    const isMgh = /\.mg[hz]$/i.test(path);
    const header = isMgh ? await readMghHeader(source, path) : await readNiftiHeader(source, path);
    const { size, frames, type, affine, isLittle, slope, intercept } = header;
    const [each, get]: readonly [number, Get] = TYPES[type], count = size[0] * size[1] * size[2];
    if (!(count > 0 && frames > 0 && count * each <= MAX_FRAME)) {
      throw new Error(
        `The header of ${path} is damaged: it has ${frames} frames of ${
          size.join(" × ")
        } values; copy it again.`,
      );
    }
    const wanted = header.offset + count * each * frames, { size: held } = await Deno.stat(path);
    if (wanted > held * (IS_PACKED.test(path) ? DEFLATE_RATIO : 1)) {
      throw cutShort(path, `${frames} frames of ${size.join(" × ")} values need ${wanted} bytes`);
    }
    await source.read(header.offset - source.at());
    let frame = 0;
    return {
      path,
      size,
      frames,
      type,
      ...(affine && { affine }),
      async next(voxels) {
        if (frame === frames) {
          throw new RangeError(`${path} has ${frames} frames: number ${frame} was asked for.`);
        }
        const bytes = await source.read(count * each, `frame ${++frame} of ${frames}`);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const values = new Float64Array(voxels?.length ?? count);
        for (let i = 0; i < values.length; i++) {
          values[i] = get(view, each * (voxels ? voxels[i] : i), isLittle) * slope + intercept;
        }
        return values;
      },
      finish: () => source.drain(),
      [Symbol.dispose]: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * Reads a file of one frame.
 *
 * @throws Error as `openVolume`; "a.nii.gz has 3 frames, expected one."
 */
export async function readVolume(
  path: string,
): Promise<Pick<VolumeFile, "path" | "size" | "affine"> & { values: Float64Array }> {
  using file = await openVolume(path);
  if (file.frames !== 1) throw new Error(`${path} has ${file.frames} frames, expected one.`);
  const values = await file.next();
  await file.finish();
  return { path, size: file.size, affine: file.affine, values };
}

/**
 * The file that is there of several endings, the first of them.
 *
 * @param stem the path without its ending
 * @param endings as ".nii.gz"
 * @returns undefined where there is none
 */
export async function findVolume(stem: string, endings: readonly string[]): Promise<string | undefined> {
  for (const ending of endings) if (await isThere(stem + ending)) return stem + ending;
}

/** Bytes of a file in order, unpacked where it is gzipped. */
interface Source {
  /** Bytes read so far. */
  at(): number;
  /**
   * The next bytes, valid until the next call.
   *
   * @param what they are, for errors
   */
  read(count: number, what?: string): Promise<Uint8Array>;
  drain(): Promise<void>;
  close(): void;
}

function openSource(path: string): Source {
  const file = createReadStream(path, { highWaterMark: PIECE });
  const isPacked = IS_PACKED.test(path);
  const stream = isPacked ? createGunzip({ chunkSize: PIECE }) : file;
  if (isPacked) pipeline(file, stream as ReturnType<typeof createGunzip>, () => {}); // its errors come with the bytes
  const pieces: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
  let piece = new Uint8Array(0), at = 0, frame = new Uint8Array(0);
  const nextPiece = async () => {
    try {
      const { done, value } = await pieces.next();
      return done ? null : value;
    } catch (error) {
      const reason = reasonOf(error);
      if (/unexpected end/.test(reason)) throw cutShort(path, "its gzip data end too early");
      throw new Error(`${path} is damaged (${reason}): copy it again.`, { cause: error });
    }
  };
  return {
    at: () => at,
    async read(count, what = "its header") {
      if (frame.length !== count) frame = new Uint8Array(count);
      for (let filled = 0; filled < count;) {
        if (piece.length === 0) {
          const found = await nextPiece();
          if (found === null) throw cutShort(path, `${what} ends beyond it, after ${at} bytes`);
          piece = new Uint8Array(found.buffer as ArrayBuffer, found.byteOffset, found.length);
          continue;
        }
        const some = piece.subarray(0, count - filled);
        frame.set(some, filled);
        filled += some.length;
        at += some.length;
        piece = piece.subarray(some.length);
      }
      return frame;
    },
    async drain() {
      let rest = piece.length;
      for (let more = await nextPiece(); more; more = await nextPiece()) {
        rest += more.length;
        if (rest <= MAX_REST) continue;
        throw new Error(
          `${path} goes on for more than ${MAX_REST} bytes after its last frame: copy it again.`,
        );
      }
    },
    close() {
      stream.destroy();
      file.destroy();
    },
  };
}

async function readNiftiHeader(source: Source, path: string): Promise<Header> {
  const start = (await source.read(NIFTI_1)).slice(), first = new DataView(start.buffer);
  const isLittle = [NIFTI_1, NIFTI_2].includes(first.getInt32(0, true)), bytes = first.getInt32(0, isLittle);
  if (bytes !== NIFTI_1 && bytes !== NIFTI_2) throw notA(path, "NIfTI", "NIfTI-1 or NIfTI-2");
  const isFirst = bytes === NIFTI_1;
  const rest = isFirst ? new Uint8Array(0) : (await source.read(NIFTI_2 - NIFTI_1)).slice();
  const view = new DataView(Uint8Array.from([...start, ...rest]).buffer);
  const magic = String.fromCharCode(...new Uint8Array(view.buffer, isFirst ? 344 : 4, 3));
  if (magic !== (isFirst ? "n+1" : "n+2")) {
    throw notA(path, "NIfTI", `NIfTI in one file (${isFirst ? "n+1" : "n+2"})`);
  }
  const extent = (axis: number) =>
    isFirst ? view.getInt16(40 + 2 * axis, isLittle) : Number(view.getBigInt64(16 + 8 * axis, isLittle));
  const rank = extent(0), axes = Array.from({ length: 7 }, (_, i) => i < rank ? extent(i + 1) : 1);
  const code = view.getInt16(isFirst ? 70 : 12, isLittle), type = NIFTI_TYPES[code];
  if (!type) throw wrongType(path, code);
  const [slope, intercept] = isFirst
    ? [view.getFloat32(112, isLittle), view.getFloat32(116, isLittle)]
    : [view.getFloat64(176, isLittle), view.getFloat64(184, isLittle)];
  const isScaled = slope !== 0 && Number.isFinite(slope) && Number.isFinite(intercept);
  const offset = isFirst ? view.getFloat32(108, isLittle) : Number(view.getBigInt64(168, isLittle));
  if (!(offset >= bytes && offset <= MAX_FRAME && Number.isInteger(offset))) {
    throw new Error(
      `The header of ${path} is damaged: its values would begin at byte ${offset}; copy it again.`,
    );
  }
  return {
    size: [axes[0], axes[1], axes[2]],
    frames: axes.slice(3).reduce((product, extent) => product * extent, 1),
    type,
    affine: affineOf(view, isFirst, isLittle),
    isLittle,
    offset,
    slope: isScaled ? slope : 1,
    intercept: isScaled ? intercept : 0,
  };
}

/** MGH: version 1, four extents and the type as big-endian 32-bit numbers; values begin at byte 284. */
async function readMghHeader(source: Source, path: string): Promise<Header> {
  const bytes = await source.read(MGH_BYTES), view = new DataView(bytes.buffer, bytes.byteOffset);
  const [version, x, y, z, frames, code] = [0, 4, 8, 12, 16, 20].map((at) => view.getInt32(at));
  if (version !== 1) throw notA(path, "MGH", "version 1");
  const type = MGH_TYPES[code];
  if (!type) throw wrongType(path, code);
  return { size: [x, y, z], frames, type, isLittle: false, offset: MGH_BYTES, slope: 1, intercept: 0 };
}

function notA(path: string, kind: string, expected: string): Error {
  return new Error(`${path} is not a ${kind} file, whatever its name says: expected ${expected}.`);
}

function wrongType(path: string, code: number): Error {
  return new Error(
    `${path} has values of type ${code}, expected real numbers of at most 64 bits: convert it.`,
  );
}

function cutShort(path: string, how: string): Error {
  return new Error(`${path} is cut short: ${how}; copy it again.`);
}
