import { assert, assertEquals, assertRejects } from "@std/assert";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { listImages, readImage } from "../src/data/image.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";

/** Two pixels wide, three high. */
const PIXELS = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7, 200, 100, 50, 255, 255, 255);
const raw = { width: 2, height: 3, channels: 3 } as const;
const pngBytes = () => sharp(PIXELS, { raw }).png().toBuffer();

/** Pixels that compress badly, so that a file can be cut anywhere. */
function noisyImage(): ReturnType<typeof sharp> {
  const data = Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7919 + (i * i) % 251 * 31) % 256);
  return sharp(data, { raw: { width: 64, height: 48, channels: 3 } });
}

async function readError(path: string): Promise<string> {
  return (await assertRejects(() => readImage(path), Error)).message;
}

Deno.test("readImage() reads a PNG's bytes whatever the file is called", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.writeFile(`${dir}/a.jpg`, await pngBytes());
    assertEquals(await readImage(`${dir}/a.jpg`), { width: 2, height: 3, data: PIXELS });
  }));

Deno.test("readImage() reads a JPEG to within its compression", () =>
  inTemporaryFolder(async (dir) => {
    const flat = { create: { width: 20, height: 10, channels: 3, background: "#c86432" } } as const;
    await sharp(flat).jpeg({ quality: 100 }).toFile(`${dir}/a.jpg`);
    const { width, height, data } = await readImage(`${dir}/a.jpg`);
    assertEquals([width, height, data.length], [20, 10, 600]);
    for (const [i, value] of data.entries()) {
      assert(Math.abs(value - [200, 100, 50][i % 3]) <= 2, `byte ${i} is ${value}`);
    }
  }));

Deno.test("readImage() turns the image as EXIF says", () =>
  inTemporaryFolder(async (dir) => {
    await sharp(PIXELS, { raw }).withMetadata({ orientation: 6 }).png().toFile(`${dir}/a.png`);
    const { width, height, data } = await readImage(`${dir}/a.png`);
    assertEquals([width, height], [3, 2]);
    assertEquals(Array.from(data.subarray(0, 9)), [200, 100, 50, 0, 0, 255, 255, 0, 0]);
  }));

Deno.test("readImage() lays transparency over white", () =>
  inTemporaryFolder(async (dir) => {
    const data = Uint8Array.of(10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 102);
    await sharp(data, { raw: { width: 3, height: 1, channels: 4 } }).png().toFile(`${dir}/a.png`);
    assertEquals(
      Array.from((await readImage(`${dir}/a.png`)).data),
      [10, 20, 30, 255, 255, 255, 153, 153, 153],
    );
  }));

for (const depth of [8, 16]) {
  Deno.test(`readImage() makes ${depth}-bit gray R = G = B`, () =>
    inTemporaryFolder(async (dir) => {
      const data = depth === 8 ? Uint8Array.of(0, 77, 255) : Uint16Array.of(0, 77 * 257, 65535);
      await sharp(data, { raw: { width: 3, height: 1, channels: 1 } })
        .toColorspace(depth === 8 ? "b-w" : "grey16").png().toFile(`${dir}/a.png`);
      assertEquals((await sharp(`${dir}/a.png`).metadata()).depth, depth === 8 ? "uchar" : "ushort");
      assertEquals(Array.from((await readImage(`${dir}/a.png`)).data), [0, 0, 0, 77, 77, 77, 255, 255, 255]);
    }));
}

Deno.test("readImage() names a file that is missing, empty, or no image", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/empty.png`, "");
    await Deno.writeTextFile(`${dir}/text.png`, "This is text.\n");
    await Deno.writeTextFile(
      `${dir}/vector.png`,
      `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
    );
    const noImage = "is not a JPEG or PNG image, whatever its name says: convert it to one.";
    assertEquals(await readError(`${dir}/none.png`), `There is no image ${dir}/none.png.`);
    assertEquals(
      await readError(`${dir}/empty.png`),
      `The image ${dir}/empty.png is empty (0 bytes): copy it again.`,
    );
    assertEquals(await readError(`${dir}/text.png`), `${dir}/text.png ${noImage}`);
    assertEquals(await readError(`${dir}/vector.png`), `${dir}/vector.png ${noImage}`);
    assertEquals(await readError(dir), `Cannot read the image ${dir}: Is a directory.`);
  }));

for (const format of ["jpeg", "png"] as const) {
  for (const progressive of [false, true]) {
    Deno.test(`readImage() refuses a ${progressive ? "progressive " : ""}${format} that ends early`, () =>
      inTemporaryFolder(async (dir) => {
        const bytes = await noisyImage().toFormat(format, { progressive }).toBuffer();
        const path = `${dir}/cut`;
        for (const share of [0.01, 0.3, 0.9, 0.99]) {
          await Deno.writeFile(path, bytes.subarray(0, Math.floor(bytes.length * share)));
          const message = await readError(path);
          const pattern = /^The image (.*) is damaged or cut short \((.+)\): copy it again or take it out\.$/;
          assertEquals(pattern.exec(message)?.[1], path, message);
          assert(!message.includes("\n"), message);
        }
      }));
  }
}

Deno.test("readImage() refuses absurd dimensions before it decodes them", () =>
  inTemporaryFolder(async (dir) => {
    const bytes = await pngBytes();
    const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    header.setUint32(16, 30000);
    header.setUint32(20, 20000);
    header.setUint32(29, crc32(bytes.subarray(12, 29)));
    await Deno.writeFile(`${dir}/a.png`, bytes);
    assertEquals(
      await readError(`${dir}/a.png`),
      `The image ${dir}/a.png is 30000 × 20000 pixels: at most 100 million are read, so make it smaller.`,
    );
  }));

Deno.test("listImages() lists JPEG and PNG files of any case by code point", () =>
  inTemporaryFolder(async (dir) => {
    const names = ["B.JPG", "a.png", "a10.jpeg", "a9.Png", "ﬀ.png", "😀.png"];
    for (const name of [...names.toReversed(), "notes.txt", "a.gif", "png"]) {
      await Deno.writeTextFile(`${dir}/${name}`, "");
    }
    await Deno.mkdir(`${dir}/folder.png`);
    assertEquals(await listImages(dir), names.map((name) => `${dir}/${name}`));
    assertEquals(await listImages(`${dir}/`), names.map((name) => `${dir}/${name}`));
  }));

Deno.test("listImages() names a folder that is missing, no folder, or without images", () =>
  inTemporaryFolder(async (dir) => {
    const listError = async (path: string) => (await assertRejects(() => listImages(path), Error)).message;
    await Deno.writeTextFile(`${dir}/notes.txt`, "");
    assertEquals(await listError(`${dir}/none`), `There is no folder ${dir}/none.`);
    assertEquals(
      await listError(dir),
      `The folder ${dir} has no images: expected .jpg, .jpeg or .png files.`,
    );
    assertEquals(
      await listError(`${dir}/notes.txt`),
      `Cannot list the images of ${dir}/notes.txt: Not a directory.`,
    );
  }));
