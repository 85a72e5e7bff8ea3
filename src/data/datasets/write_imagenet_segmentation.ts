/** Writes the layout of `gtsegs_ijcv.mat`, the same bytes for the same images on every run. */
import type * as hdf5 from "h5wasm";
import { abandonBeside, openBeside, writeFileAtomic } from "../files/atomic_write.ts";
import { h5wasm, readyHdf5, USER_BLOCK } from "../formats/hdf5.ts";
import type { Mask, RgbImage } from "../images/picture.ts";

/** One image with its figure and its name. */
export interface SegmentedImage {
  id: string;
  image: RgbImage;
  /** 1 on the figure, 0 on the ground. */
  mask: Mask;
}

/** HDF5 format, version 1 of object headers. */
const HEADER_VERSION = 1, CONTINUATION = 0x10, MODIFIED = 0x12;

/**
 * Writes images and masks as a MATLAB 7.3 file that `openImagenetSegmentation` and readers of the real one open.
 *
 * HDF5 notes the time at which a dataset is made; it is set to 0, so that the bytes depend on the images alone.
 *
 * @param path where to; the file appears whole or not at all
 * @param images at least one
 */
export async function writeImagenetSegmentation(path: string, images: SegmentedImage[]): Promise<void> {
  const opened = await openBeside(`${path}.h5`), { beside } = opened;
  await readyHdf5();
  try {
    const headers = writeHdf5(beside, images);
    const bytes = await Deno.readFile(beside);
    for (const address of headers) clearTime(bytes, address);
    await writeFileAtomic(path, behindUserBlock(bytes));
  } finally {
    await abandonBeside(opened);
  }
}

/** @returns the addresses of the datasets' object headers */
function writeHdf5(path: string, images: SegmentedImage[]): number[] {
  const file = new h5wasm.File(path, "w", { libver: ["earliest", "latest"] });
  const headers: number[] = [];
  const put = (
    group: hdf5.Group,
    name: string,
    data: Uint8Array | Uint16Array | hdf5.Reference[],
    shape: number[],
    matlabClass: string,
  ): hdf5.Reference => {
    const dataset = group.create_dataset({ name, data, shape });
    dataset.create_attribute("MATLAB_class", matlabClass, null, `S${matlabClass.length}`);
    const reference = dataset.create_reference();
    headers.push(addressOf(reference));
    return reference;
  };
  try {
    const stored = file.create_group("#refs#");
    const fields = images.map(({ id, image, mask }, i) => {
      const img = put(stored, `img${i}`, colorMajor(image), [3, image.width, image.height], "uint8");
      const figure = put(stored, `mask${i}`, columnMajor(mask), [mask.width, mask.height], "uint8");
      const gt = put(stored, `gt${i}`, [figure], [1, 1], "cell");
      const characters = Uint16Array.from(id, (character) => character.charCodeAt(0));
      return { img, gt, id: put(stored, `id${i}`, characters, [characters.length, 1], "char") };
    });
    const value = file.create_group("value");
    value.create_attribute("MATLAB_class", "struct", null, "S6");
    for (const field of ["img", "gt", "id"] as const) {
      put(value, field, fields.map((references) => references[field]), [images.length, 1], "cell");
    }
  } finally {
    file.close();
  }
  return headers;
}

function addressOf({ ref_data }: hdf5.Reference): number {
  return Number(new DataView(Uint8Array.from(ref_data).buffer).getBigUint64(0, true));
}

/** Sets the time of modification in an object header to 0. */
function clearTime(bytes: Uint8Array<ArrayBuffer>, address: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[address] !== HEADER_VERSION) {
    throw new Error(`HDF5 wrote an object header of version ${bytes[address]}, expected ${HEADER_VERSION}.`);
  }
  const blocks = [{ at: address + 16, length: view.getUint32(address + 8, true) }];
  for (const { at, length } of blocks) {
    for (let message = at; message < at + length; message += 8 + view.getUint16(message + 2, true)) {
      const type = view.getUint16(message, true), body = message + 8;
      if (type === MODIFIED) view.setUint32(body + 4, 0, true);
      if (type === CONTINUATION) {
        blocks.push({
          at: Number(view.getBigUint64(body, true)),
          length: Number(view.getBigUint64(body + 8, true)),
        });
      }
    }
  }
}

/** Puts MATLAB's 512 bytes before an HDF5 file; addresses in it count from its own start. */
function behindUserBlock(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const file = new Uint8Array(USER_BLOCK + bytes.length);
  const about = "MATLAB 7.3 MAT-file, Platform: any, Created on: Thu Jan  1 00:00:00 1970 HDF5 schema 1.00 .";
  file.set(new TextEncoder().encode(about.padEnd(116)));
  file.set([0, 2, 0x49, 0x4d], 124);
  file.set(bytes, USER_BLOCK);
  const superblock = new DataView(file.buffer, USER_BLOCK);
  const BASE = 24, END = 40;
  superblock.setBigUint64(BASE, BigInt(USER_BLOCK), true);
  superblock.setBigUint64(END, BigInt(file.length), true);
  return file;
}

function colorMajor({ width, height, data }: RgbImage): Uint8Array {
  const pixels = width * height, stored = new Uint8Array(3 * pixels);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) stored[c * pixels + x * height + y] = data[3 * (y * width + x) + c];
    }
  }
  return stored;
}

function columnMajor({ width, height, data }: Mask): Uint8Array {
  const stored = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) stored[x * height + y] = data[y * width + x];
  }
  return stored;
}
