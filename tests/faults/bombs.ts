/** Files made to do harm: small ones that unpack to gigabytes, and headers that claim what is not there. */
import { Buffer } from "node:buffer";
import { constants, crc32, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import {
  Field,
  FixedSizeList,
  Float32,
  makeData,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
} from "apache-arrow";
import * as hdf5 from "h5wasm";
import { readyHdf5 } from "../../src/data/formats/hdf5.ts";
import sharp from "sharp";
import type { Mutation } from "./mutations.ts";
import type { Samples } from "./samples.ts";

/** What the files are made from and with. */
export interface BombOptions {
  samples: Samples;
  /** Where files may be written. */
  folder: string;
  /** Whether to leave out what takes seconds to make or to read. */
  quick: boolean;
}

type Bytes = Uint8Array<ArrayBuffer>;

const bytesOf = (text: string) => new TextEncoder().encode(text);
const joined = (parts: readonly ArrayLike<number>[]) =>
  Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

/** N zeros as zlib packs them, made without them: one packed piece again and again. */
function packedZeros(bytes: number): Bytes {
  const piece = 1e7;
  const packed = deflateRawSync(new Uint8Array(piece), { finishFlush: constants.Z_FULL_FLUSH });
  const ends = new Uint8Array(6), adler = ((bytes % 65521) << 16) | 1;
  ends.set([3, 0]);
  new DataView(ends.buffer).setInt32(2, adler);
  return joined([[0x78, 0xda], ...new Array(bytes / piece).fill(packed), ends]);
}

/** A PNG with these chunks behind its header, all checksums right. */
function pngOf(
  { width, height, depth = 8, color = 3 }: { width: number; height: number; depth?: number; color?: number },
  chunks: [type: string, data: Uint8Array][] = [],
): Bytes {
  const header = new Uint8Array(13), view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, color], 8);
  const all: [string, Uint8Array][] = [["IHDR", header], ...chunks];
  return joined([
    [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10],
    ...all.flatMap(([type, data]) => {
      const body = joined([bytesOf(type), data]), ends = new Uint8Array(8);
      new DataView(ends.buffer).setUint32(0, data.length);
      new DataView(ends.buffer).setUint32(4, crc32(body));
      return [ends.subarray(0, 4), body, ends.subarray(4)];
    }),
  ]);
}

function pngBombs({ quick }: BombOptions): Mutation[] {
  const zeros = packedZeros(2e9), palette: [string, Uint8Array] = ["PLTE", new Uint8Array(768)];
  const end: [string, Uint8Array] = ["IEND", new Uint8Array()];
  const size = { width: 8, height: 8 },
    picture: [string, Uint8Array] = ["IDAT", deflateSync(new Uint8Array(72))];
  const profile = (
    name: string,
    start: string,
  ): [string, Uint8Array] => [name, joined([bytesOf(start), zeros])];
  const large = { width: 9999, height: 9999 };
  return [
    ...[[100_000, 100_000], [1e6, 1e6], [2 ** 31 - 1, 1], [0, 5]].map(([width, height]) => ({
      what: `${width} × ${height} pixels`,
      bytes: pngOf({ width, height }),
    })),
    { what: "2 GB of pixels", bytes: pngOf(size, [palette, ["IDAT", zeros], end]) },
    { what: "a second picture of 2 GB", bytes: pngOf(size, [palette, picture, ["IDAT", zeros], end]) },
    { what: "a profile of 2 GB", bytes: pngOf(size, [profile("iCCP", "a\0\0"), palette, picture, end]) },
    { what: "a comment of 2 GB", bytes: pngOf(size, [palette, profile("zTXt", "a\0\0"), picture, end]) },
    {
      what: "two headers",
      bytes: pngOf(size, [
        ["IHDR", pngOf({ width: 9000, height: 9000 }).slice(16, 29)],
        palette,
        picture,
        end,
      ]),
    },
    {
      what: "1 × 10⁶ pixels",
      bytes: pngOf({ width: 1, height: 1e6, color: 0 }, [["IDAT", deflateSync(new Uint8Array(2e6))], end]),
    },
    ...(quick ? [] : [
      {
        what: "10⁸ pixels",
        bytes: pngOf({ ...large, color: 0 }, [["IDAT", deflateSync(new Uint8Array(1e4 * 9999))], end]),
      },
      {
        what: "10⁸ pixels of 64 bits",
        bytes: pngOf({ ...large, depth: 16, color: 6 }, [[
          "IDAT",
          deflateSync(new Uint8Array((8 * 9999 + 1) * 9999)),
        ], end]),
      },
    ]),
  ];
}

async function jpegBombs({ samples, quick }: BombOptions): Promise<Mutation[]> {
  const claiming = (width: number, height: number) => {
    const bytes = samples.jpeg.slice(), view = new DataView(bytes.buffer);
    const at = bytes.findIndex((byte, i) => byte === 0xff && [0xc0, 0xc2].includes(bytes[i + 1]));
    view.setUint16(at + 5, height);
    view.setUint16(at + 7, width);
    return { what: `${width} × ${height} pixels`, bytes };
  };
  const progressive = await sharp(samples.jpeg).jpeg({ progressive: true }).toBuffer();
  const last = progressive.lastIndexOf(Uint8Array.of(0xff, 0xda)), end = progressive.length - 2;
  const scan = progressive.subarray(last, end);
  const flat = { create: { width: 9999, height: 9999, channels: 3, background: "#c86432" } } as const;
  return [
    ...[[65_535, 65_535], [65_535, 1], [1, 65_535], [9999, 9999], [0, 5]].map(([w, h]) => claiming(w, h)),
    {
      what: "its last scan 2,000 times",
      bytes: joined([progressive.subarray(0, end), ...new Array(2000).fill(scan), progressive.subarray(end)]),
    },
    ...(quick ? [] : [{ what: "10⁸ pixels", bytes: joined([await sharp(flat).jpeg().toBuffer()]) }]),
  ];
}

function npyOf(header: string): Uint8Array<ArrayBuffer> {
  const text = bytesOf(header.padEnd(118) + "\n"), bytes = new Uint8Array(10 + text.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(text, 10);
  return bytes;
}

const npyBombs = (): Mutation[] =>
  [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000000000, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': (1, 1), }",
    "{'descr': '<f4', 'shape': ((((((1,),),),),),), }",
    "{'descr': '__proto__', 'fortran_order': False, 'shape': (2, 2), }",
    "{'descr': 'toString', 'fortran_order': False, 'shape': (2, 2), }",
  ].map((header) => ({ what: header, bytes: npyOf(header) }));

/** A pickle behind the header that numpy.save gives an array of one object. */
function pickleOf(...ops: (number | number[])[]): Bytes {
  return joined([npyOf("{'descr': '|O', 'fortran_order': False, 'shape': (), }"), ops.flat()]);
}

function pickleBombs(): Mutation[] {
  const deep = 60;
  // [1] kept as 0, then each tuple holds the one before twice.
  const nest = [
    0x4b,
    1,
    0x71,
    0,
    ...Array.from({ length: deep }, (_, i) => [0x68, i, 0x86, 0x71, i + 1]).flat(),
  ];
  const global = [0x63, ...bytesOf("a\nb\n")];
  const array = (
    ...entry: number[]
  ) => [...global, 0x28, 0x4b, 1, 0x29, 0x4e, 0x89, 0x5d, 0x7d, ...entry, 0x73, 0x61, 0x74, 0x62, 0x2e];
  return [
    { what: "2⁶⁰ tuples as a name", bytes: pickleOf(...nest, ...array(0x4b, 1, 0x68, deep)) },
    { what: "2⁶⁰ tuples as a number", bytes: pickleOf(...nest, ...array(0x68, deep, 0x4b, 1)) },
    { what: "2⁶⁰ tuples as a class", bytes: pickleOf(...nest, 0x68, deep, 0x93, 0x2e) },
    { what: "2⁶⁰ tuples called", bytes: pickleOf(...nest, 0x29, 0x52, 0x2e) },
    { what: "a list in itself", bytes: pickleOf(0x5d, 0x71, 0, 0x68, 0, 0x61, ...array(0x4b, 1, 0x68, 0)) },
    { what: "10⁶ marks", bytes: pickleOf(new Array(1e6).fill(0x28), 0x74, 0x2e) },
    { what: "a list of 10⁶", bytes: pickleOf([0x5d, 0x28], new Array(1e6).fill(0x4e), 0x65, 0x2e) },
    { what: "a text of 4 GB", bytes: pickleOf(0x58, 255, 255, 255, 255, 0x2e) },
  ];
}

/** A MATLAB file of one image whose arrays claim a size, one small piece of each being stored. */
async function matOf(
  folder: string,
  { width, height, images = 1 }: { width: number; height: number; images?: number },
): Promise<Bytes> {
  await readyHdf5();
  const path = `${folder}/bomb.mat`, file = new hdf5.File(path, "w");
  const value = file.create_group("value"), stored = file.create_group("#refs#");
  const put = (group: hdf5.Group, name: string, data: Uint8Array | hdf5.Reference[], shape: number[]) => {
    const chunks = shape.map((extent) => Math.min(extent, 8)), count = chunks.reduce((a, b) => a * b);
    const part = data.length > 1 ? data.slice(0, count) : data;
    const first = data.length > 1 ? chunks : shape.map(() => 1);
    const dataset = group.create_dataset({
      name,
      data: part,
      shape: first,
      maxshape: shape,
      chunks: first,
      compression: 9,
    });
    dataset.resize(shape);
    return dataset.create_reference();
  };
  const pixels = put(stored, "img", new Uint8Array(512), [3, width, height]);
  const mask = put(stored, "mask", new Uint8Array(512), [width, height]);
  put(value, "img", [pixels], [images, 1]);
  put(value, "gt", [put(stored, "gt", [mask], [1, 1])], [images, 1]);
  file.close();
  return await Deno.readFile(path);
}

async function matBombs({ samples, folder }: BombOptions): Promise<Mutation[]> {
  const bombs: Mutation[] = [];
  for (const size of [[6000, 6000], [9000, 9000], [20_000, 20_000], [1e6, 1e6], [1, 2 ** 31]]) {
    const [width, height] = size;
    bombs.push({
      what: `${width} × ${height} pixels, packed`,
      bytes: await matOf(folder, { width, height }),
    });
  }
  bombs.push({ what: "10⁷ images", bytes: await matOf(folder, { width: 8, height: 8, images: 1e7 }) });
  // The sample's images are 24 × 16; HDF5 notes sizes as 64 bits.
  const claimed = samples.mat.slice(), view = new DataView(claimed.buffer);
  for (let at = 0; at + 16 <= claimed.length; at += 8) {
    if (view.getBigUint64(at, true) !== 24n || view.getBigUint64(at + 8, true) !== 16n) continue;
    view.setBigUint64(at, 20_000n, true);
    view.setBigUint64(at + 8, 20_000n, true);
  }
  return [...bombs, { what: "20000 × 20000 pixels", bytes: claimed }];
}

/** An Arrow file of one column that claims N rows, with few values or none. */
function arrowOf(name: string, rows: number, listSize: number | null, values = 0): Bytes {
  const item = new Field("item", new Float32(), false);
  const type = listSize === null ? new Null() : new FixedSizeList(listSize, item);
  const child = makeData({ type: new Float32(), length: values, data: new Float32Array(values) });
  const column = listSize === null
    ? makeData({ type: new Null(), length: rows })
    : makeData({ type: type as FixedSizeList, length: rows, nullCount: 0, child });
  const fields = [new Field(name, type, listSize === null)], schema = new Schema(fields);
  const batch = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children: [column] });
  return joined([tableToIPC(new Table(new RecordBatch(schema, batch)), "file")]);
}

const arrowBombs = (): Mutation[] =>
  ["vector", "values", "features", "x"].flatMap((name) => [
    { what: `${name}: 10⁶ × 10⁶`, bytes: arrowOf(name, 1e6, 1e6) },
    { what: `${name}: 10⁶ × 10⁶, some of them there`, bytes: arrowOf(name, 1e6, 1e6, 3e5) },
    { what: `${name}: one row of 10⁹`, bytes: arrowOf(name, 1, 1e9) },
    { what: `${name}: 10⁹ rows of nothing`, bytes: arrowOf(name, 1e9, 0) },
    { what: `${name}: 10⁹ nulls`, bytes: arrowOf(name, 1e9, null) },
  ]);

const jsonBombs = (): Mutation[] => [
  { what: "200,000 brackets", bytes: bytesOf("[".repeat(200_000)) },
  { what: "a nest of objects", bytes: bytesOf('{"a":'.repeat(50_000) + "1" + "}".repeat(50_000)) },
  { what: "__proto__", bytes: bytesOf('{"__proto__": {"files": {}}, "constructor": 1}') },
  ...["null", "[]", "3", '"x"', "{}", "", "\ufeff{}", '{"a":1e999}'].map((text) => ({
    what: text,
    bytes: bytesOf(text),
  })),
];

function preprocessorBombs({ samples }: BombOptions): Mutation[] {
  const good = JSON.parse(new TextDecoder().decode(samples["preprocessor json"]));
  const large = { height: 1e6, width: 1e6 };
  const changes: Record<string, unknown>[] = [
    { size: large },
    { size: 1e6 },
    { size: { shortest_edge: 1e6 } },
    { size: { height: 4096, width: 4096 } },
    { do_center_crop: true, crop_size: large },
    { image_std: [1e-320, 1e-50, 1] },
    { image_mean: [1e300, 0, 0] },
    { do_rescale: true, rescale_factor: 1e300 },
  ];
  return [
    ...jsonBombs(),
    ...changes.map((change) => {
      const text = JSON.stringify({ ...good, ...change });
      return { what: JSON.stringify(change), bytes: bytesOf(text) };
    }),
  ];
}

/** Volumes that claim more than there is, or unpack to gigabytes after their last frame. */
function niftiBombs({ samples }: BombOptions): Mutation[] {
  const plain = samples.nifti, bombs: Mutation[] = [];
  for (const extents of [[32767, 32767, 32767, 1], [32767, 32767, 1, 1], [1, 1, 1, 32767], [-1, 4, 3, 6]]) {
    const bytes = plain.slice(), view = new DataView(bytes.buffer);
    extents.forEach((extent, axis) => view.setInt16(42 + 2 * axis, extent, true));
    bombs.push({ what: `${extents.join(" × ")} values`, bytes });
  }
  return [...bombs, { what: "20 MB behind the last frame", bytes: joined([plain, new Uint8Array(2e7)]) }];
}

function packedNiftiBombs(options: BombOptions): Mutation[] {
  const zeros = gzipSync(new Uint8Array(2 ** 27));
  return [
    ...niftiBombs(options).map(({ what, bytes }) => ({ what, bytes: Uint8Array.from(gzipSync(bytes)) })),
    {
      what: "4 GB of zeros behind the last frame",
      bytes: joined([options.samples["nifti gz"], ...new Array(32).fill(zeros)]),
    },
  ];
}

/** A MATLAB 5 file of arrays that unpack to gigabytes. */
function matlabBombs({ samples }: BombOptions): Mutation[] {
  const packed = deflateSync(new Uint8Array(2 ** 28)),
    tag = new Uint8Array(8),
    view = new DataView(tag.buffer);
  view.setUint32(0, 15, true);
  view.setUint32(4, packed.length, true);
  const header = samples["matlab 5"].subarray(0, 128);
  return [
    { what: "16 × 256 MB of zeros", bytes: joined([header, ...new Array(16).fill([tag, packed]).flat()]) },
    { what: "an element of 4 GB", bytes: joined([header, [14, 0, 0, 0, 255, 255, 255, 255]]) },
  ];
}

/** By format. */
export const BOMBS: Record<string, (options: BombOptions) => Mutation[] | Promise<Mutation[]>> = {
  jpeg: jpegBombs,
  png: pngBombs,
  "palette png": pngBombs,
  npy: npyBombs,
  "pickled npy": pickleBombs,
  mat: matBombs,
  nifti: niftiBombs,
  "nifti gz": packedNiftiBombs,
  "betas nifti": packedNiftiBombs,
  "matlab 5": matlabBombs,
  features: arrowBombs,
  align: arrowBombs,
  fit: arrowBombs,
  "embedding arrow": arrowBombs,
  "embedding npy": npyBombs,
  onnx: () => [
    { what: "a nest of graphs", bytes: nested(20_000) },
    {
      what: "a length of 2⁶³",
      bytes: Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
    },
    { what: "zeros", bytes: new Uint8Array(4096) },
  ],
  csv: () => [
    { what: "a million commas", bytes: bytesOf(",".repeat(1e6)) },
    { what: "a quote without end", bytes: bytesOf('"' + "x,\n".repeat(100_000)) },
    { what: "NUL bytes", bytes: new Uint8Array(10_000) },
    { what: "NaN and Infinity", bytes: bytesOf("x,y\nNaN,1\nInfinity,2\n") },
    ...["1e400", "1e39"].map((number) => ({ what: number, bytes: bytesOf(`x,y\n${number},1\n`) })),
  ],
  "preprocessor json": preprocessorBombs,
  "record json": () => [...jsonBombs(), {
    what: "a file above the folder",
    bytes: bytesOf(
      JSON.stringify({ name: "a", source: "b", license: "c", files: { "../../x.onnx": "0".repeat(64) } }),
    ),
  }],
  "results json": jsonBombs,
  labels: jsonBombs,
  "class names": () => [{ what: "a million names", bytes: bytesOf("a\n".repeat(1e6)) }, {
    what: "NUL bytes",
    bytes: new Uint8Array(10_000),
  }],
  "voc txt": () =>
    ["../../../etc/passwd\n", "/etc/passwd\n", "a/b\n", "..\n", "\u0000\n", "a\n".repeat(2e5)].map((
      text,
    ) => ({
      what: JSON.stringify(text.slice(0, 30)),
      bytes: bytesOf(text),
    })),
};

/** Protobuf fields 7 (graph) in one another. */
function nested(depth: number): Uint8Array<ArrayBuffer> {
  const parts: number[][] = [];
  let length = 0;
  for (let i = 0; i < depth; i++) {
    const varint: number[] = [];
    for (let value = length;; value >>>= 7) {
      varint.push(value > 127 ? (value & 127) | 128 : value);
      if (value <= 127) break;
    }
    parts.push([0x3a, ...varint]);
    length += 1 + varint.length;
  }
  return Uint8Array.from(parts.reverse().flat());
}
