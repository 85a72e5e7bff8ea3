import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { encode } from "fast-png";
import sharp from "sharp";
import { encodePalettePng, readPalettePng, vocPalette } from "../../../src/data/images/palette_png.ts";
import { clearSkipped, skippedLines } from "../../../src/data/files/skipped.ts";
import { openVoc, VOC_VOID } from "../../../src/data/datasets/voc.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { realData } from "../../support/real_data.ts";

async function writeVoc(
  dir: string,
  names: string[],
  data = Uint8Array.of(0, 1, 2, 20, 255, 0),
): Promise<void> {
  await Deno.mkdir(`${dir}/JPEGImages`, { recursive: true });
  await Deno.mkdir(`${dir}/SegmentationClass`, { recursive: true });
  const photo = { create: { width: 3, height: 2, channels: 3 as const, background: "#a63" } };
  for (const name of names) {
    await sharp(photo).jpeg().toFile(`${dir}/JPEGImages/${name}.jpg`);
    await Deno.writeFile(
      `${dir}/SegmentationClass/${name}.png`,
      encodePalettePng({ width: 3, height: 2, data }),
    );
  }
}

/** A palette PNG of fewer than 8 bits a pixel, its rows packed already. */
function packedPng(png: { width: number; height: number; depth: number; packed: Uint8Array }): Uint8Array {
  const { width, height, depth, packed } = png;
  const chunk = (type: string, body: Uint8Array) => {
    const data = Buffer.concat([Buffer.from(type), body]), ends = Buffer.alloc(8);
    ends.writeUInt32BE(body.length, 0);
    ends.writeUInt32BE(crc32(data), 4);
    return Buffer.concat([ends.subarray(0, 4), data, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, 3], 8);
  const stride = packed.length / height, rows = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    rows.set(packed.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(vocPalette().slice(0, 2 ** depth).flat())),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", new Uint8Array()),
  ]);
}

Deno.test("vocPalette has the colors of PASCAL VOC", () => {
  const palette = vocPalette();
  assertEquals(palette.slice(0, 4), [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]);
  assertEquals([palette[15], palette[20], palette[255]], [[192, 128, 128], [0, 64, 128], [224, 224, 192]]);
  assertEquals(new Set(palette.map(String)).size, 256);
});

Deno.test("readPalettePng unpacks masks of 1, 2 and 4 bits", () =>
  inTemporaryFolder(async (dir) => {
    for (const depth of [1, 2, 4] as const) {
      const width = 5, height = 3;
      const indices = Uint8Array.from({ length: width * height }, (_, i) => (7 * i + 1) % 2 ** depth);
      const stride = Math.ceil(width * depth / 8), packed = new Uint8Array(stride * height);
      indices.forEach((index, i) => {
        const bit = (i % width) * depth, at = Math.floor(i / width) * stride + (bit >> 3);
        packed[at] |= index << (8 - depth - bit % 8);
      });
      await Deno.writeFile(`${dir}/a.png`, packedPng({ width, height, depth, packed }));
      assertEquals(await readPalettePng(`${dir}/a.png`), { width, height, data: indices });
    }
  }));

Deno.test("readPalettePng reads an interlaced mask, and refuses one of less than 8 bits", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.png`, gray = Uint8Array.from({ length: 13 * 11 }, (_, i) => 7 * i % 256);
    await sharp(gray, { raw: { width: 13, height: 11, channels: 1 } }).toColourspace("b-w").png({
      progressive: true,
    }).toFile(
      path,
    );
    assertEquals(await readPalettePng(path), { width: 13, height: 11, data: gray });
    const packed = packedPng({ width: 8, height: 1, depth: 1, packed: Uint8Array.of(5) });
    packed[28] = 1;
    await Deno.writeFile(path, packed);
    await assertRejects(() => readPalettePng(path), Error, "interlaced at 1 bits a pixel");
  }));

Deno.test("readPalettePng unpacks no more and no less than the mask's pixels", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.png`, mask = { width: 8, height: 4, depth: 8 };
    for (const [height, why] of [[5, "more than the 36 bytes"], [3, "to 27 of 36 bytes"]] as const) {
      const png = packedPng({ ...mask, height, packed: new Uint8Array(8 * height) });
      new DataView(png.buffer, png.byteOffset).setUint32(20, mask.height);
      await Deno.writeFile(path, png);
      await assertRejects(() => readPalettePng(path), Error, why);
    }
  }));

Deno.test("openVoc reads lists, photographs and masks with the void kept", () =>
  inTemporaryFolder(async (dir) => {
    await writeVoc(dir, ["b", "a"]);
    assertEquals((await openVoc(dir)).names, ["a", "b"]); // no ImageSets: all masks, sorted
    await Deno.mkdir(`${dir}/ImageSets/Segmentation`, { recursive: true });
    await Deno.writeTextFile(`${dir}/ImageSets/Segmentation/val.txt`, "b\r\n\r\na\n");
    const voc = await openVoc(dir, "val");
    assertEquals(voc.names, ["b", "a"]);
    assertEquals(voc.classes[15], "person");
    const { image, mask } = await voc.read(0);
    assertEquals([image.width, image.height], [3, 2]);
    assertEquals(mask.data, Uint8Array.of(0, 1, 2, 20, VOC_VOID, 0));
    await assertRejects(() => openVoc(dir, "test"), Error, "expected one of val.");
    await assertRejects(() => voc.read(2), RangeError, "has 2 masks, number 2 was asked for");
  }));

Deno.test("openVoc counts classes by lines, none of them empty or named twice", () =>
  inTemporaryFolder(async (dir) => {
    await writeVoc(dir, ["a"], Uint8Array.of(0, 1, 2, 2, 0, 0));
    const path = `${dir}/class_names.txt`, write = (text: string) => Deno.writeTextFile(path, text);
    await write("background\r\ncat\r\n dog \r\n\r\n");
    assertEquals((await openVoc(dir)).classes, ["background", "cat", "dog"]);
    await write("background\n\ndog\n");
    await assertRejects(
      () => openVoc(dir),
      Error,
      `${path}, line 2 is empty, but a class's number is that of its line: write the name of class 1 there.`,
    );
    await write("background\ncat\ncat\n");
    await assertRejects(
      () => openVoc(dir),
      Error,
      `${path} calls 1 and 2 "cat": give every class a name of its own.`,
    );
  }));

Deno.test("openVoc refuses a list that names a photograph twice, and reports masks that it does not list", () =>
  inTemporaryFolder(async (dir) => {
    await writeVoc(dir, ["a", "b"]);
    await Deno.rename(`${dir}/SegmentationClass/b.png`, `${dir}/SegmentationClass/b.PNG`);
    clearSkipped();
    assertEquals((await openVoc(dir)).names, ["a"]);
    assertEquals(skippedLines(), ["skipped: 1 file that is no .png"]);
    clearSkipped();
    await Deno.mkdir(`${dir}/ImageSets/Segmentation`, { recursive: true });
    const list = `${dir}/ImageSets/Segmentation/trainval.txt`;
    await Deno.writeTextFile(list, "a\nb\na\n");
    await assertRejects(
      () => openVoc(dir),
      Error,
      `The list ${list} names "a" twice: name every photograph once.`,
    );
  }));

Deno.test("openVoc says in one sentence what is wrong with a folder", () =>
  inTemporaryFolder(async (dir) => {
    await assertRejects(() => openVoc(dir), Error, "has no masks");
    await writeVoc(dir, ["a"], Uint8Array.of(0, 1, 2, 21, 0, 0));
    await assertRejects(
      async () => (await openVoc(dir)).read(0),
      Error,
      "a.png has class 21, expected 0 to 20 or 255",
    );
    await Deno.writeTextFile(
      `${dir}/class_names.txt`,
      Array.from({ length: 22 }, (_, i) => `c${i}`).join("\n"),
    );
    clearSkipped();
    assertEquals((await (await openVoc(dir)).read(0)).mask.data[3], 21);
    assertEquals(skippedLines(), [
      `${dir}/class_names.txt calls 0 "c0", which is taken for the background: its first line names that`,
    ]);
    clearSkipped();

    const path = `${dir}/SegmentationClass/a.png`;
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 30));
    await assertRejects(async () => (await openVoc(dir)).read(0), Error, "a.png is damaged or cut short");
    await Deno.writeFile(
      path,
      encode({ width: 3, height: 2, channels: 3, depth: 8, data: new Uint8Array(18) }),
    );
    await assertRejects(async () => (await openVoc(dir)).read(0), Error, "expected a palette");
    await Deno.writeFile(path, encodePalettePng({ width: 2, height: 2, data: new Uint8Array(4) }));
    await assertRejects(
      async () => (await openVoc(dir)).read(0),
      Error,
      "a.png is 2 × 2, its photograph 3 × 2",
    );
    const huge = Uint8Array.from(bytes);
    new DataView(huge.buffer).setUint32(16, 0x7fffffff);
    await Deno.writeFile(path, huge);
    await assertRejects(async () => (await openVoc(dir)).read(0), RangeError, "at most 100 million");

    await Deno.mkdir(`${dir}/ImageSets/Segmentation`, { recursive: true });
    await Deno.writeTextFile(`${dir}/ImageSets/Segmentation/trainval.txt`, "../../secret\n");
    await assertRejects(() => openVoc(dir), Error, 'names "../../secret"');
    await Deno.writeTextFile(`${dir}/ImageSets/Segmentation/trainval.txt`, "\n");
    await assertRejects(() => openVoc(dir), Error, "is empty");
  }));

Deno.test("openVoc refuses masks of saliency data sets, whose 255 is the figure, and notes single masks without a class", () =>
  inTemporaryFolder(async (dir) => {
    const binary = Uint8Array.of(0, 255, 255, 0, 255, 0);
    await writeVoc(dir, ["a", "b"], binary);
    await assertRejects(
      () => openVoc(dir),
      Error,
      "hold 0 and 255 only, and 255 is void in this layout: save the figure's pixels as 1.",
    );
    await writeVoc(dir, ["b"]);
    clearSkipped();
    const voc = await openVoc(dir);
    assertEquals((await voc.read(0)).mask.data, binary);
    await voc.read(1);
    assertEquals(skippedLines(), ["1 × mask of 0 and 255 (void) only, whose image has no figure: a.png"]);
    clearSkipped();
  }));

const sample = realData("voc_sample");

Deno.test({
  name: "openVoc reads real PASCAL VOC files",
  ignore: sample === undefined,
  fn: async () => {
    const voc = await openVoc(sample!);
    assertEquals(voc.names, ["2011_000003", "2011_000006", "2011_000025"]);
    const expected = [["person", "bottle"], ["person", "sofa", "chair"], ["bus", "car"]];
    for (const [i, classes] of expected.entries()) {
      const { mask } = await voc.read(i);
      const found = [...new Set(mask.data)].filter((index) => index > 0 && index !== VOC_VOID);
      assertEquals(new Set(found.map((index) => voc.classes[index])), new Set(classes));
      assert(mask.data.includes(VOC_VOID) === (i < 2));
    }
  },
});
