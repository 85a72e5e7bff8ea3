import { assertEquals, assertRejects } from "@std/assert";
import { forModels, type RunImage, viewed } from "../../../src/pipeline/images.ts";
import {
  classLabels,
  className,
  figureLabels,
  imageCategories,
  majorityClasses,
} from "../../../src/experiments/shared/image_truth.ts";

const CLASSES = ["background", "cat", "dog"];

/** An image of 4 × 2 pixels with these classes. */
function image(name: string, classes?: number[], width = 4): RunImage {
  const height = (classes?.length ?? 8) / width;
  const mask = (of: (label: number) => number) => () =>
    Promise.resolve({ width, height, data: Uint8Array.from(classes!, of) });
  return {
    name,
    load: () => Promise.resolve({ width: 4, height: 2, data: new Uint8Array(24) }),
    ...(classes && { mask: mask((k) => k === 255 ? 255 : Math.min(k, 1)), classMask: mask((k) => k) }),
  };
}

const IMAGES = [
  image("both", [0, 0, 2, 2, 0, 1, 2, 255]),
  image("unknown"),
  image("empty", [0, 0, 0, 0, 255, 0, 0, 0]),
];

Deno.test("figureLabels() and classLabels() count pixels under patches, none where nothing is known", async () => {
  const grid = { rows: 1, cols: 2 };
  const figure = await figureLabels(IMAGES, grid), classes = await classLabels(IMAGES, grid, CLASSES);
  assertEquals([...figure.counts], [0, 0, 3, 1, 0, 3, ...Array(6).fill(0), 0, 0, 3, 0, 4, 0]);
  assertEquals([...classes.counts.subarray(0, 9)], [0, 0, 0, 3, 1, 0, 0, 0, 3]);
  assertEquals([...majorityClasses(classes)], [0, 0, 2, 0, 0, 0, 0, 0, 0]);
});

Deno.test("imageCategories() are the largest classes, and a number of its own for each unknown image", async () => {
  const categories = await imageCategories(IMAGES, CLASSES);
  assertEquals(categories, [2, -2, 0]);
  assertEquals(categories.map((k) => className(CLASSES, k)), ["dog", "unknown class", "no class"]);
});

Deno.test("viewed() crops images and masks alike, and names a mask of another size", async () => {
  const view = { filter: "bicubic", rescale: null, normalize: null, resize: null } as const;
  const [both, unknown] = viewed(IMAGES, { ...view, crop: { width: 2, height: 2 } }, null);
  assertEquals((await both.load()).width, 2);
  assertEquals([...(await both.classMask!()).data], [0, 2, 1, 2]);
  assertEquals([unknown.mask, unknown.classMask], [undefined, undefined]);
  const [odd] = viewed([image("odd", [0, 0, 1, 1], 2)], { ...view, crop: null }, null);
  await assertRejects(() => odd.mask!(), RangeError, "The mask of odd is 2 × 2, the image 4 × 2");
});

Deno.test("viewed() cuts picture and mask to whole patches, so that labels are those under them, and models get all", async () => {
  const view = { filter: "bicubic", rescale: null, normalize: null, resize: null, crop: null } as const;
  const width = 11,
    height = 10,
    column = (i: number) => i % width,
    row = (i: number) => Math.floor(i / width);
  // Patches of 4 cover 8 × 8 pixels: the figure is the second column of them, whatever is beside.
  const figure = Uint8Array.from(
    { length: width * height },
    (_, i) => column(i) >= 4 && column(i) < 8 ? 1 : 0,
  );
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => i);
  const whole: RunImage = {
    name: "a",
    load: () => Promise.resolve({ width, height, data: pixels }),
    mask: () => Promise.resolve({ width, height, data: figure }),
    classMask: () => Promise.resolve({ width, height, data: figure }),
  };
  const [seen] = viewed([whole], view, { width: 4, height: 4 }), grid = { rows: 2, cols: 2 };
  const covered = [...pixels].filter((_, i) => column(Math.floor(i / 3)) < 8 && row(Math.floor(i / 3)) < 8);
  assertEquals(await seen.load(), { width: 8, height: 8, data: Uint8Array.from(covered) });
  assertEquals([...(await figureLabels([seen], grid)).counts], [0, 0, 16, 0, 0, 16, 16, 0, 0, 16]);
  assertEquals([...(await classLabels([seen], grid, CLASSES)).counts.subarray(3, 9)], [16, 0, 0, 0, 16, 0]);
  const [forModel] = forModels([seen]);
  assertEquals(await forModel.load(), { width, height, data: pixels });
});
