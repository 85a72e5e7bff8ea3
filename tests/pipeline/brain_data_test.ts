import { assert, assertEquals } from "@std/assert";
import { clearSkipped, skippedLines } from "../../src/data/files/skipped.ts";
import type { Subject } from "../../src/data/datasets/subject.ts";
import type { Preprocessor } from "../../src/data/images/preprocessor.ts";
import { firstImages, readBrainData } from "../../src/pipeline/brain_data.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const FOLDER = new URL("../golden/onnx", import.meta.url).pathname;
const MODEL = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => name.endsWith(".onnx"))
  .sort()[0];
const SIZE = 24, VOXELS = 3;

const view: Preprocessor = { resize: null, filter: "bicubic", crop: null, rescale: null, normalize: null };
const models = [{ path: `${FOLDER}/${MODEL}`, preprocessor: { ...view, rescale: 1 / 255 } }];

/** Images of one name in every split, told apart by `seed`. */
function split(images: number, seed: number, response: (row: number, voxel: number) => number): Subject {
  return {
    images: Array.from({ length: images }, (_, i) => `split ${seed}/${i}.png`),
    voxels: { lh: VOXELS, rh: 0, total: VOXELS },
    vertices: Uint32Array.from({ length: VOXELS }, (_, v) => v),
    rois: new Map(),
    skipped: [],
    notes: [],
    readImage: (row) =>
      Promise.resolve({
        width: SIZE,
        height: SIZE,
        data: Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, at) => ((row + seed) * 31 + at * 7919) % 251),
      }),
    hashImages: () => Promise.resolve([]),
    hashLabels: () => Promise.resolve([]),
    readResponses: (first, count) =>
      Promise.resolve({
        data: Float32Array.from(
          { length: count * VOXELS },
          (_, at) => response(first + Math.floor(at / VOXELS), at % VOXELS),
        ),
        rows: count,
        cols: VOXELS,
      }),
  };
}

const varied = (row: number, voxel: number) => Math.sin(7 * row + voxel);

Deno.test("readBrainData() keeps features of two splits apart whose images have the same names", async () => {
  await inTemporaryFolder(async (cacheDir) => {
    const training = split(4, 1, varied), test = split(4, 50, varied);
    const options = { models, view, cacheDir, imagesKey: "both", seed: 0, cells: 1 };
    const both = await readBrainData({ ...options, subject: { training, test } });
    const alone = await readBrainData({
      ...options,
      cacheDir: `${cacheDir}/alone`,
      subject: { training: test, test: training },
    });
    assertSameBits(both.test.pooled.data, alone.training.pooled.data, "the test images' features");
    assert(both.test.pooled.data.some((value, at) => value !== both.training.pooled.data[at]));
  });
});

Deno.test("readBrainData() says of which voxels one part of the images has one response, and of how few images r is", async () => {
  await inTemporaryFolder(async (cacheDir) => {
    clearSkipped();
    const training = split(20, 1, (row, voxel) => row >= 17 && voxel === 1 ? 2.5 : varied(row, voxel));
    const { skipped, test } = await readBrainData({
      subject: { training },
      models,
      view,
      cacheDir,
      imagesKey: "",
      seed: 0,
    });
    assertEquals(test.images.length, 3);
    assertEquals(skipped, [
      "1 of 3 voxels have the same response to all 3 held-out images: their r counts as 0 in every mean",
    ]);
    assertEquals(skippedLines(), [
      ...skipped,
      "r is over 3 held-out images: by chance alone it is 0.71 off 0 (standard deviation)",
    ]);
    clearSkipped();
    const options = { models, view, cacheDir, imagesKey: "", seed: 0 };
    await readBrainData({ ...options, subject: { training: split(12, 1, varied) } });
    assertEquals(skippedLines(), [
      "r is over 2 held-out images: of two it is 1 or −1, whatever predicts them",
    ]);
    clearSkipped();
    await readBrainData({ ...options, subject: { training, test: split(10, 9, varied) } });
    assertEquals(skippedLines().filter((line) => line.startsWith("r is over")), []);
    clearSkipped();
  });
});

Deno.test("readBrainData() holds out the same images whatever the limit, where there is no test split", async () => {
  await inTemporaryFolder(async (cacheDir) => {
    const subject = { training: split(20, 1, varied) };
    const options = { models, view, cacheDir, imagesKey: "", seed: 0, subject };
    const all = await readBrainData(options), few = await readBrainData({ ...options, limit: 5 });
    assertEquals(few.training.images, subject.training.images.slice(0, 5));
    assertEquals(few.test.images, subject.training.images.slice(17));
    assertSameBits(few.test.pooled.data, all.test.pooled.data, "features of those held out");
    assertSameBits(few.test.responses.data, all.test.responses.data, "responses to those held out");
    const own = all.training.pooled.data.subarray(0, few.training.pooled.data.length);
    assertSameBits(few.training.pooled.data, own, "features");
    const { responses } = firstImages(all, 5).training;
    assertSameBits(few.training.responses.data, responses.data, "responses");
  });
});
