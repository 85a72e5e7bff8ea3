import { gunzipSync } from "node:zlib";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as hdf5 from "h5wasm";
import { openImagenetSegmentation } from "../../../src/data/datasets/imagenet_segmentation.ts";
import {
  type SegmentedImage,
  writeImagenetSegmentation,
} from "../../../src/data/datasets/write_imagenet_segmentation.ts";
import golden from "../../golden/hdf5.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix } from "../../support/random.ts";

/** Images of different sizes, no two axes equal, so that a swapped axis shows. */
function segmented(count: number): SegmentedImage[] {
  return Array.from({ length: count }, (_, i) => {
    const width = 5 + i, height = 3 + 2 * i;
    const bytes = Uint8Array.from(randomMatrix(height, 3 * width, i).data, (value) => Math.abs(value) * 255);
    return {
      id: `scene-${i}`,
      image: { width, height, data: bytes },
      mask: { width, height, data: bytes.subarray(0, width * height).map((value) => value & 1) },
    };
  });
}

Deno.test("openImagenetSegmentation gives back what was written", () =>
  inTemporaryFolder(async (dir) => {
    const images = segmented(12);
    await writeImagenetSegmentation(`${dir}/gtsegs_ijcv.mat`, images);
    const file = await openImagenetSegmentation(`${dir}/gtsegs_ijcv.mat`);
    assertEquals(file.count, 12);
    for (const i of [11, 0, 5]) assertEquals(file.read(i), images[i]);
    assertThrows(() => file.read(12), RangeError, "has 12 images, number 12 was asked for");
    file.close();
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["gtsegs_ijcv.mat"]);
  }));

Deno.test("writeImagenetSegmentation writes the same bytes a second later, in MATLAB's axes behind its block", () =>
  inTemporaryFolder(async (dir) => {
    const images = segmented(3);
    await writeImagenetSegmentation(`${dir}/a.mat`, images);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await writeImagenetSegmentation(`${dir}/b.mat`, images);
    const bytes = await Deno.readFile(`${dir}/a.mat`);
    assertEquals(bytes, await Deno.readFile(`${dir}/b.mat`));
    assertEquals(new TextDecoder().decode(bytes.subarray(0, 20)), "MATLAB 7.3 MAT-file,");
    assertEquals([...bytes.subarray(124, 128)], [0, 2, 0x49, 0x4d]);
    const file = new hdf5.File(`${dir}/a.mat`, "r");
    const field = file.get("value/img") as hdf5.Dataset;
    assertEquals(field.shape, [3, 1]);
    const reference: hdf5.Reference = (field.value as hdf5.Reference[])[2];
    const image: unknown = file.dereference(reference);
    assert(image instanceof hdf5.Dataset);
    assertEquals(image.shape, [3, images[2].image.width, images[2].image.height]);
    file.close();
  }));

Deno.test("openImagenetSegmentation reads what h5py does, and refuses chunks that are damaged or packed by an unknown filter", () =>
  inTemporaryFolder(async (dir) => {
    for (const [name, { gzip, read }] of Object.entries(golden.files)) {
      await Deno.writeFile(`${dir}/${name}`, gunzipSync(Uint8Array.fromBase64(gzip)));
      const file = await openImagenetSegmentation(`${dir}/${name}`);
      const what = name.includes("image") ? "image 0" : "the mask of image 0";
      if (read === null) assertThrows(() => file.read(0), Error, `${name}: ${what} cannot be unpacked (`);
      else {
        const { image, mask } = file.read(0), at = (x: number, y: number) => y * mask.width + x;
        read.mask.forEach((column, x) =>
          column.forEach((value, y) => assertEquals(mask.data[at(x, y)], value, name))
        );
        read.image.forEach((plane, c) =>
          plane.forEach((column, x) =>
            column.forEach((value, y) => assertEquals(image.data[3 * at(x, y) + c], value))
          )
        );
      }
      file.close();
    }
    const file = await openImagenetSegmentation(`${dir}/lzf.mat`);
    assertThrows(
      () => file.read(0),
      Error,
      'cannot be unpacked (the filter "lzf" is missing): save it with gzip.',
    );
    file.close();
  }));

Deno.test("openImagenetSegmentation says in one sentence what is wrong with a file", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.mat`;
    await assertRejects(() => openImagenetSegmentation(path), Error, "There is no file");
    await Deno.writeTextFile(path, "MATLAB 5.0 MAT-file");
    await assertRejects(() => openImagenetSegmentation(path), Error, "is not a MATLAB 7.3 file");
    await writeImagenetSegmentation(path, segmented(4));
    const { size } = await Deno.stat(path);
    await Deno.truncate(path, size >> 1);
    await assertRejects(() => openImagenetSegmentation(path), Error, "is cut short: expected");

    await hdf5.ready;
    const other = new hdf5.File(path, "w");
    other.create_group("value").create_dataset({ name: "img", data: new Uint8Array(4) });
    other.close();
    await assertRejects(() => openImagenetSegmentation(path), Error, "has no references in value/img");

    const odd = new hdf5.File(path, "w"), value = odd.create_group("value"), refs = odd.create_group("refs");
    const image = refs.create_dataset({ name: "i", data: new Uint8Array(8), shape: [4, 2] });
    const float = refs.create_dataset({ name: "f", data: new Float32Array(8), shape: [4, 2] });
    const pair = refs.create_dataset({ name: "m", data: new Uint8Array(6), shape: [3, 2] });
    const references = [image, float, image].map((dataset) => dataset.create_reference());
    value.create_dataset({ name: "img", data: references, shape: [3, 1] });
    const masks = [pair, image, float].map((dataset) => dataset.create_reference());
    value.create_dataset({ name: "gt", data: masks, shape: [3, 1] });
    odd.close();
    const file = await openImagenetSegmentation(path);
    assertThrows(() => file.read(0), Error, "the mask of image 0 is 3 × 2, the image 4 × 2");
    assertThrows(() => file.read(1), Error, "image 1 is of type <f, expected an array of uint8");
    assertThrows(() => file.read(2), Error, "the mask of image 2 is not a cell with an array");
    file.close();

    const bomb = new hdf5.File(path, "w"),
      fields = bomb.create_group("value"),
      inside = bomb.create_group("refs");
    const data = new Uint8Array(64), compression = 9; // the chunk is stored as what fills it
    for (const [field, shape] of [["img", [3, 6000, 5000]], ["gt", [6000, 5000]]] as const) {
      const chunks = shape.map((_, axis) => axis < shape.length - 2 ? 1 : 8);
      const dataset = inside.create_dataset({
        name: field,
        data,
        shape: [...chunks],
        maxshape: [...shape],
        chunks: [...chunks],
        compression,
      });
      dataset.resize([...shape]);
      fields.create_dataset({ name: field, data: [dataset.create_reference()], shape: [1, 1] });
    }
    bomb.close();
    const large = await openImagenetSegmentation(path);
    assertThrows(
      () => large.read(0),
      RangeError,
      "image 0 claims 3 × 6000 × 5000 bytes: at most",
    );
    large.close();
  }));
