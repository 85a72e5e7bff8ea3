import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { listImages, readImage } from "../../../src/data/images/image.ts";
import { clearSkipped, skippedLines } from "../../../src/data/files/skipped.ts";
import golden from "../../golden/images.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

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

for (const { name, file, rgb } of golden.cases) {
  Deno.test(`readImage() ${rgb ? "equals Pillow byte for byte" : "refuses by name"}: ${name}`, () =>
    inTemporaryFolder(async (dir) => {
      const path = `${dir}/${name}`;
      await Deno.writeFile(path, Uint8Array.fromBase64(file));
      if (!rgb) {
        const message = await readError(path);
        assertMatch(message, /^The image .* has .*: convert it to 8-bit RGB/);
        return;
      }
      const { width, height, data } = await readImage(path);
      assertEquals([width, height], [rgb.width, rgb.height]);
      assertEquals(createHash("sha256").update(data).digest("hex"), rgb.sha256);
    }));
}

Deno.test("readImage() reads 8-bit gray as R = G = B and says where it lays transparency over white", () =>
  inTemporaryFolder(async (dir) => {
    clearSkipped();
    await sharp(Uint8Array.of(0, 77, 255), { raw: { width: 3, height: 1, channels: 1 } })
      .toColorspace("b-w").png().toFile(`${dir}/a.png`);
    assertEquals(Array.from((await readImage(`${dir}/a.png`)).data), [0, 0, 0, 77, 77, 77, 255, 255, 255]);
    const opaque = Uint8Array.of(10, 20, 30, 255), clear = Uint8Array.of(10, 20, 30, 254);
    for (const [name, data] of [["opaque", opaque], ["clear", clear]] as const) {
      await sharp(data, { raw: { width: 1, height: 1, channels: 4 } }).png().toFile(`${dir}/${name}.png`);
      await readImage(`${dir}/${name}.png`);
    }
    assertEquals(skippedLines(), ["1 × image with transparency, laid over white: clear.png"]);
  }));

/** Bytes with others put in before `at`. */
function inserted(bytes: Uint8Array, at: number, more: number[]): Uint8Array {
  return Uint8Array.of(...bytes.subarray(0, at), ...more, ...bytes.subarray(at));
}

/** Where markers with this code stand. */
function markersAt(bytes: Uint8Array, code: number): number[] {
  return Array.from(bytes.keys()).filter((i) => bytes[i] === 0xff && bytes[i + 1] === code);
}

Deno.test("readImage() takes a JPEG that cameras wrote a little wrong as the clean one, and says so", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.jpg`, stray = [1, 2, 0, 4, 5];
    const baseline = await noisyImage().jpeg({ quality: 85 }).toBuffer();
    const progressive = await noisyImage().jpeg({ quality: 85, progressive: true }).toBuffer();
    const restarts = Uint8Array.fromBase64(
      golden.cases.find(({ name }) => name === "rgb_restarts.jpg")!.file,
    );
    const [scan] = markersAt(baseline, 0xda), parameters = scan + 5 + 2 * baseline[scan + 4];
    const changed = (bytes: Uint8Array, at: number, values: number[]) => {
      const copy = Uint8Array.from(bytes);
      copy.set(values, at);
      return copy;
    };
    const bytesBefore = "stray bytes before a marker", misplaced = "scan parameters out of place";
    const firstScan = markersAt(progressive, 0xda)[0];
    const endOfScan = markersAt(progressive, 0xc4).find((at) => at > firstScan)!;
    const cases: [clean: Uint8Array, odd: Uint8Array, what: string | null][] = [
      ...[0xc0, 0xc4, 0xda].map((code) =>
        [baseline, inserted(baseline, markersAt(baseline, code)[0], stray), bytesBefore] as [
          Uint8Array,
          Uint8Array,
          string,
        ]
      ),
      [baseline, inserted(baseline, baseline.length - 2, stray), null],
      [baseline, inserted(baseline, markersAt(baseline, 0xc4)[0], [0xff, 0xff]), null],
      [baseline, inserted(baseline, baseline.length, stray), null],
      [baseline, changed(baseline, parameters, [0, 0, 0]), misplaced],
      [baseline, changed(baseline, parameters, [63, 0, 17]), misplaced],
      [
        baseline,
        inserted(changed(baseline, parameters, [1, 2, 3]), markersAt(baseline, 0xc0)[0], stray),
        `${bytesBefore}, ${misplaced}`,
      ],
      [progressive, inserted(progressive, markersAt(progressive, 0xda)[0], stray), bytesBefore],
      [progressive, inserted(progressive, markersAt(progressive, 0xda)[2], stray), bytesBefore],
      [restarts, inserted(restarts, markersAt(restarts, 0xd1)[0], stray), null],
      [restarts, inserted(restarts, markersAt(restarts, 0xd1)[0], Array(40).fill(7)), null],
      [progressive, inserted(progressive, endOfScan, stray), bytesBefore],
      [progressive, inserted(progressive, endOfScan, Array(40).fill(7)), bytesBefore],
    ];
    for (const [i, [clean, odd, what]] of cases.entries()) {
      await Deno.writeFile(path, clean);
      const expected = await readImage(path);
      await Deno.writeFile(path, odd);
      clearSkipped();
      assertEquals(await readImage(path), expected, `case ${i}`);
      assertEquals(skippedLines(), what ? [`1 × JPEG with ${what}: a.jpg`] : [], `case ${i}`);
    }
    // Nothing of this makes a damaged file readable.
    for (const share of [0.3, 0.6, 0.9]) {
      const cut = baseline.subarray(0, Math.floor(baseline.length * share));
      await Deno.writeFile(path, inserted(cut, markersAt(baseline, 0xc4)[0], stray));
      assertStringIncludes(await readError(path), "is damaged or cut short");
    }
  }));

Deno.test("readImage() names a file that is missing, empty, or no image", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/empty.png`, "");
    await Deno.writeTextFile(`${dir}/text.png`, "This is text.\n");
    await Deno.writeTextFile(
      `${dir}/vector.png`,
      `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
    );
    const noImage =
      "is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image, whatever its name says: convert it to one.";
    assertEquals(await readError(`${dir}/none.png`), `There is no image ${dir}/none.png.`);
    assertEquals(
      await readError(`${dir}/empty.png`),
      `The image ${dir}/empty.png is empty (0 bytes): copy it again.`,
    );
    assertEquals(await readError(`${dir}/text.png`), `${dir}/text.png ${noImage}`);
    assertEquals(await readError(`${dir}/vector.png`), `${dir}/vector.png ${noImage}`);
    assertEquals(await readError(dir), `Cannot read the image ${dir}: Is a directory.`);
  }));

for (const format of ["jpeg", "png", "webp", "gif", "tiff"] as const) {
  for (const progressive of format === "jpeg" || format === "png" ? [false, true] : [false]) {
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

Deno.test("listImages() lists image files of any case by code point, and what else is there", () =>
  inTemporaryFolder(async (dir) => {
    clearSkipped();
    const names = [
      "B.JPG",
      "a.gif",
      "a.png",
      "a10.jpeg",
      "a9.Png",
      "b.TIFF",
      "b.avif",
      "b.tif",
      "b.webp",
      "ﬀ.png",
      "😀.png",
    ];
    const others = ["notes.txt", "png", "a.heic", "b.HEIC", ".DS_Store", "._a.png"];
    for (const name of [...names.toReversed(), ...others]) await Deno.writeTextFile(`${dir}/${name}`, "");
    await Deno.mkdir(`${dir}/folder.png`);
    await Deno.mkdir(`${dir}/other`);
    await Deno.symlink(`${dir}/other`, `${dir}/linked.jpg`);
    assertEquals(await listImages(dir), names.map((name) => `${dir}/${name}`));
    assertEquals(await listImages(`${dir}/`), names.map((name) => `${dir}/${name}`));
    assertEquals(skippedLines(), ["skipped: 2 .heic, 1 .txt, 1 file without an ending, 3 subfolders"]);
  }));

Deno.test("listImages() names a folder that is missing, no folder, or without images", () =>
  inTemporaryFolder(async (dir) => {
    const listError = async (path: string) => (await assertRejects(() => listImages(path), Error)).message;
    await Deno.writeTextFile(`${dir}/notes.txt`, "");
    assertEquals(await listError(`${dir}/none`), `There is no folder ${dir}/none.`);
    assertEquals(
      await listError(dir),
      `The folder ${dir} has no images: expected .jpg, .png, .webp, .gif, .tif or .avif files.`,
    );
    assertEquals(
      await listError(`${dir}/notes.txt`),
      `Cannot list the images of ${dir}/notes.txt: Not a directory.`,
    );
  }));
