import { assertEquals, assertRejects } from "@std/assert";
import sharp from "sharp";
import { readImage } from "../../../src/data/images/image.ts";
import { maskInFrame, turned } from "../../../src/data/images/orientation.ts";
import { encodePalettePng } from "../../../src/data/images/palette_png.ts";
import { clearSkipped, note, skip, skippedLines } from "../../../src/data/files/skipped.ts";
import { openVoc } from "../../../src/data/datasets/voc.ts";
import { folderImages } from "../../../src/pipeline/images.ts";
import golden from "../../golden/images.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const STORED = { width: 13, height: 9 };
const jpeg = (orientation: number) =>
  Uint8Array.fromBase64(golden.cases.find(({ name }) => name === `exif_${orientation}.jpg`)!.file);

/** 1 where a photograph is bright. */
function bright(data: Uint8Array): number[] {
  return Array.from({ length: data.length / 3 }, (_, i) => data[3 * i + 1] > 127 ? 1 : 0);
}

/** The stored pixels of the golden photograph, as a mask of where it is bright. */
async function storedMask(orientation: number) {
  const data = await sharp(jpeg(orientation)).raw().toBuffer();
  return { ...STORED, data: Uint8Array.from(bright(data)) };
}

Deno.test("masks of a VOC folder and of a folder of masks are turned with their photographs, EXIF 1 to 8", () =>
  inTemporaryFolder(async (dir) => {
    for (const folder of ["JPEGImages", "SegmentationClass", "masks"]) await Deno.mkdir(`${dir}/${folder}`);
    for (let orientation = 1; orientation <= 8; orientation++) {
      const mask = await storedMask(orientation);
      await Deno.writeFile(`${dir}/JPEGImages/e${orientation}.jpg`, jpeg(orientation));
      await Deno.writeFile(`${dir}/SegmentationClass/e${orientation}.png`, encodePalettePng(mask));
      const gray = mask.data.map((value) => 255 * value);
      await sharp(gray, { raw: { ...STORED, channels: 1 } }).png().toFile(`${dir}/masks/e${orientation}.png`);
    }
    await Deno.writeFile(`${dir}/SegmentationClass/._e1.png`, Uint8Array.of(0, 5, 22, 7));
    const voc = await openVoc(dir), images = await folderImages(`${dir}/JPEGImages`, `${dir}/masks`);
    assertEquals(voc.names.length, 8);
    for (let i = 0; i < 8; i++) {
      const { image, mask } = await voc.read(i);
      assertEquals([mask.width, mask.height], i < 4 ? [13, 9] : [9, 13]);
      assertEquals([...mask.data], bright(image.data), `orientation ${i + 1}`);
      assertEquals(await images[i].mask!(), mask, `orientation ${i + 1}`);
    }
  }));

Deno.test("maskInFrame() leaves a mask that is upright already: by its own EXIF, or by its size", () =>
  inTemporaryFolder(async (dir) => {
    const mask = await storedMask(6), upright = turned(mask, 6);
    const image = { width: 9, height: 13, orientation: 6 };
    assertEquals(maskInFrame(mask, image), upright);
    assertEquals(maskInFrame(upright, image), upright);
    assertEquals(maskInFrame({ ...upright, orientation: 3 }, { ...image, orientation: 3 }), upright);
    const gray = mask.data.map((value) => 255 * value);
    for (const orientation of [3, 6]) {
      const path = `${dir}/${orientation}.png`;
      await sharp(gray, { raw: { ...STORED, channels: 1 } }).withMetadata({ orientation }).png().toFile(path);
      const { data, ...read } = await readImage(path);
      const stood = { ...read, data: Uint8Array.from(bright(data)) };
      const { orientation: _, ...expected } = stood;
      assertEquals(maskInFrame(stood, { ...stood, orientation }), expected);
      assertEquals(expected, turned(mask, orientation));
    }
  }));

Deno.test("folderImages() refuses masks that would all be ground, or figure where they are transparent", () =>
  inTemporaryFolder(async (dir) => {
    for (const folder of ["photos", "masks"]) await Deno.mkdir(`${dir}/${folder}`);
    const raw = (channels: 1 | 4) => ({ raw: { width: 2, height: 1, channels } });
    await sharp(Uint8Array.of(9, 9), raw(1)).png().toFile(`${dir}/photos/a.png`);
    const [image] = await folderImages(`${dir}/photos`, `${dir}/masks`);
    const says = async () =>
      (await assertRejects(() => image.mask!(), Error)).message.replace(`${dir}/masks/`, "");
    await sharp(Uint8Array.of(0, 1), raw(1)).png().toFile(`${dir}/masks/a.png`);
    assertEquals(
      await says(),
      "The mask a.png has values up to 1, expected white (above 127) where the figure is.",
    );
    await sharp(Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255), raw(4)).png().toFile(`${dir}/masks/a.png`);
    assertEquals(
      await says(),
      "The mask a.png has transparent pixels: save it as black and white without transparency.",
    );
    await sharp(Uint8Array.of(0, 0, 0, 0, 128, 0), { raw: { width: 2, height: 1, channels: 3 } }).png()
      .toFile(`${dir}/masks/a.png`);
    assertEquals(
      await says(),
      "The mask a.png has colors, expected white where the figure is, and black elsewhere.",
    );
    await sharp(Uint8Array.of(0, 0), raw(1)).png().toFile(`${dir}/masks/a.png`);
    assertEquals(await image.mask!(), { width: 2, height: 1, data: Uint8Array.of(0, 0) });
  }));

Deno.test("skippedLines() counts by kind, each name once", () => {
  clearSkipped();
  assertEquals(skippedLines(), []);
  for (const name of ["b", "a", "a"]) skip("subfolder", name);
  skip(".heic", "x.heic");
  for (const name of ["d", "c", "b", "a"]) note("JPEG with stray bytes before a marker", name);
  assertEquals(skippedLines(), [
    "skipped: 1 .heic, 2 subfolders",
    "4 × JPEG with stray bytes before a marker: a, b, c and 1 more",
  ]);
});

Deno.test("folderImages() notes trimaps, whose gray counts as figure, and refuses one mask for two photographs", () =>
  inTemporaryFolder(async (dir) => {
    for (const folder of ["photos", "masks"]) await Deno.mkdir(`${dir}/${folder}`);
    const raw = { raw: { width: 4, height: 1, channels: 1 } } as const;
    await sharp(Uint8Array.of(9, 9, 9, 9), raw).png().toFile(`${dir}/photos/a.png`);
    await sharp(Uint8Array.of(0, 128, 255, 255), raw).png().toFile(`${dir}/masks/a.png`);
    clearSkipped();
    const [image] = await folderImages(`${dir}/photos`, `${dir}/masks`);
    assertEquals([...(await image.mask!()).data], [0, 1, 1, 1]);
    assertEquals(skippedLines(), [
      "1 × mask of which more than 5 % is gray, figure where that is above 127: a.png",
    ]);
    clearSkipped();
    await sharp(Uint8Array.of(9, 9, 9, 9), raw).jpeg().toFile(`${dir}/photos/a.jpg`);
    await assertRejects(
      () => folderImages(`${dir}/photos`, `${dir}/masks`),
      Error,
      "one of them a.png, have the mask a.png: rename one.",
    );
    assertEquals((await folderImages(`${dir}/photos`)).length, 2);
  }));
