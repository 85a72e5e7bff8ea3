import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { imageFolder } from "../../../src/data/datasets/algonauts_paths.ts";
import {
  writeAlgonautsNoiseCeiling,
  writeAlgonautsResponses,
  writeAlgonautsRois,
} from "../../../src/data/datasets/write_algonauts.ts";
import { clearSkipped, skippedLines } from "../../../src/data/files/skipped.ts";
import { dataTableText, openData } from "../../../src/data/datasets/open_data.ts";
import { encodePalettePng } from "../../../src/data/images/palette_png.ts";
import { encodePickledMapping } from "../../../src/data/formats/pickled_mapping.ts";
import { VOC_CLASSES } from "../../../src/data/datasets/voc.ts";
import { writeImagenetSegmentation } from "../../../src/data/datasets/write_imagenet_segmentation.ts";
import sharp from "sharp";
import { writeAlgonautsPlaces } from "../../support/algonauts_places.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const CLASSES = Uint8Array.of(0, 1, 2, 20, 255, 0), FIGURE = Uint8Array.of(0, 1, 1, 1, 255, 0);
const ROIS = { lh: ["V1v", "", "FFA-1", "V1d", "hV4"], rh: ["FFA-2", "V1v", "", "EBA"] };
const RENAMED = new Map(
  ["Unknown", "OFA", "FFA-2", "FFA-1", "mTL-faces", "aTL-faces"].map((name, i) => [i, name]),
);

async function writePhoto(path: string, background = "#a63"): Promise<void> {
  const photo = { create: { width: 3, height: 2, channels: 3 as const, background } };
  await Deno.writeFile(path, await sharp(photo).jpeg().toBuffer());
}

async function writeVoc(dir: string, names: string[]): Promise<void> {
  for (const folder of ["JPEGImages", "SegmentationClass"]) {
    await Deno.mkdir(`${dir}/${folder}`, { recursive: true });
  }
  for (const name of names) {
    await writePhoto(`${dir}/JPEGImages/${name}.jpg`);
    await writeMask(`${dir}/SegmentationClass/${name}.png`, CLASSES);
  }
}

async function writeMask(path: string, data: Uint8Array): Promise<void> {
  await Deno.writeFile(path, encodePalettePng({ width: 3, height: 2, data }));
}

async function writeSubject(dir: string, images: number): Promise<void> {
  await Deno.mkdir(imageFolder(dir, "training"), { recursive: true });
  for (let i = 0; i < images; i++) await writePhoto(`${imageFolder(dir, "training")}/train-${i}.jpg`);
  for (const [hemisphere, voxels] of [["lh", 5], ["rh", 4]] as const) {
    await writeAlgonautsResponses(dir, "training", responses(hemisphere, images, voxels));
  }
  await writeAlgonautsRois(dir, ROIS);
}

/** The same for every subject, but for the last voxel's response to the last image. */
function responses(hemisphere: "lh" | "rh", rows: number, voxels: number, last = 0) {
  const data = Float32Array.from({ length: rows * voxels }, (_, i) => i % 11);
  data[data.length - 1] = last;
  return { hemisphere, data, rows };
}

async function writeImagenet(dir: string, count: number, lastPixel = 0): Promise<void> {
  const image = { width: 3, height: 2, data: new Uint8Array(18) };
  const mask = { width: 3, height: 2, data: Uint8Array.of(0, 1, 1, 0, 0, lastPixel) };
  await Deno.mkdir(dir);
  await writeImagenetSegmentation(
    `${dir}/gtsegs_ijcv.mat`,
    Array.from({ length: count }, (_, i) => ({ id: `n0_${i}`, image, mask })),
  );
}

Deno.test("openData() opens every kind, and tells what is found, missing and used", async () => {
  await inTemporaryFolder(async (dir) => {
    await writeVoc(`${dir}/voc`, ["a", "b", "c"]);
    await Deno.remove(`${dir}/voc/JPEGImages/b.jpg`);
    await writeSubject(`${dir}/subj01`, 7);
    await writeImagenet(`${dir}/seg`, 4);
    await Deno.mkdir(`${dir}/photos`);
    await writePhoto(`${dir}/photos/me.jpg`);
    const folders = {
      algonauts: `${dir}/subj01`,
      voc: `${dir}/voc`,
      "imagenet-seg": `${dir}/seg`,
      images: `${dir}/photos`,
    };
    const data = await openData(folders, 3);
    const text = dataTableText(data.table).replaceAll(dir, "DIR").replaceAll(/ {2,}/g, " | ");
    assertEquals(text.split("\n"), [
      "algonauts | found | 7 training images, 5 + 4 voxels (lh + rh), 9 regions",
      "DIR/subj01 | missing | test responses (15 % of the training images are held out instead); noise ceilings; ROI masks floc-places, floc-words, streams",
      " | used for | channel alignment, brain scores",
      "voc | found | 2 photographs with masks of 20 classes",
      "DIR/voc | missing | photograph or mask of b",
      " | used for | graph and segmentation of 2",
      "imagenet-seg | found | 4 photographs with figure masks",
      "DIR/seg/gtsegs_ijcv.mat | missing | nothing",
      " | used for | graph and segmentation of 3",
      "images | found | 1 photographs",
      "DIR/photos | missing | masks",
      " | used for | graph of 1",
    ]);
    assertEquals(data.images.map(({ name }) => name), [
      "voc a",
      "voc c",
      "imagenet-seg 0",
      "imagenet-seg 1",
      "imagenet-seg 2",
      "images me.jpg",
    ]);
    assertEquals([data.subject?.training.images.length, data.classes?.[20]], [7, "tvmonitor"]);
    assertEquals(data.subject?.test, undefined);
    const [voc, , seg] = data.images;
    assertEquals([(await voc.mask!()).data, (await voc.classMask!()).data], [FIGURE, CLASSES]);
    assertEquals([...(await seg.mask!()).data], [0, 1, 1, 0, 0, 0]);
    assert(seg.classMask === undefined && data.images[5].mask === undefined);
    assertEquals((await data.images[5].load()).width, 3);
    const again = await openData(folders, 3), fewer = await openData(folders, 2);
    assertEquals(again.keys, data.keys);
    assert(fewer.keys.images !== data.keys.images);
    assertEquals(fewer.keys.subject, data.keys.subject);
    for (const opened of [data, again, fewer]) opened.close();
  });
});

Deno.test("openData() tells apart every file that results depend on, and photographs from what is known of them", async () => {
  await inTemporaryFolder(async (dir) => {
    const subject = `${dir}/subj01`, voc = `${dir}/voc`, classes = [...VOC_CLASSES];
    await writeSubject(subject, 7);
    await writeVoc(voc, ["a", "b"]);
    await writeAlgonautsNoiseCeiling(subject, "rh", new Float32Array(4));
    await writeAlgonautsPlaces(subject, "rh", new Float32Array(8));
    const run = async () => {
      const { keys, close } = await openData({ algonauts: subject, voc }, 1);
      close();
      return keys;
    };
    const ceilings = (value: number) =>
      writeAlgonautsNoiseCeiling(subject, "lh", new Float32Array(5).fill(value));
    const places = (value: number) => writeAlgonautsPlaces(subject, "lh", new Float32Array(10).fill(value));
    const changes: (() => Promise<void>)[] = [
      () => writeAlgonautsResponses(subject, "training", responses("rh", 7, 4, 1)),
      () => writeAlgonautsRois(subject, { ...ROIS, rh: ["FFA-2", "V1d", "", "EBA"] }),
      () => Deno.writeFile(`${subject}/roi_masks/mapping_floc-faces.npy`, encodePickledMapping(RENAMED)),
      () => ceilings(0.5),
      () => ceilings(0.6),
      () => places(1),
      () => places(2),
      () => writeMask(`${voc}/SegmentationClass/a.png`, CLASSES.toReversed()), // of the graph
      () => writeMask(`${voc}/SegmentationClass/b.png`, CLASSES.toReversed()), // of the agreement of models
      () => Deno.writeTextFile(`${voc}/class_names.txt`, [...classes.slice(0, -1), "screen"].join("\n")),
    ];
    const before = await run(), truths = [before.labels];
    let { subjectLabels } = before;
    assertEquals(await run(), before);
    for (const [at, change] of changes.entries()) {
      await change();
      const { labels: truth, ...pixels } = await run();
      assertEquals(pixels.subjectLabels !== subjectLabels, at < 7, `the subject's own: ${change}`);
      ({ subjectLabels } = pixels);
      assertEquals({ ...pixels, labels: before.labels, subjectLabels: before.subjectLabels }, before);
      assert(!truths.includes(truth), `unseen: ${change}`);
      truths.push(truth);
    }
    await writePhoto(`${voc}/JPEGImages/a.jpg`, "#36a");
    const repainted = await run();
    assert(repainted.images !== before.images);
    assertEquals({ ...repainted, images: "" }, {
      ...before,
      labels: truths.at(-1)!,
      subjectLabels,
      images: "",
    });
  });
});

Deno.test("openData() tells a gtsegs_ijcv.mat from one with another mask", async () => {
  await inTemporaryFolder(async (dir) => {
    const identities: string[] = [];
    for (const [name, figure] of [["a", 0], ["b", 0], ["c", 1]] as const) {
      await writeImagenet(`${dir}/${name}`, 2, figure);
      const { keys, close } = await openData({ "imagenet-seg": `${dir}/${name}` });
      identities.push(JSON.stringify(keys));
      close();
    }
    assertEquals(identities[0], identities[1]);
    assert(identities[0] !== identities[2]);
  });
});

Deno.test("openData() takes the subject's own images where no others are given", async () => {
  await inTemporaryFolder(async (dir) => {
    await writeSubject(`${dir}/subj01`, 7);
    const { images, table } = await openData({ algonauts: `${dir}/subj01` }, 2);
    assertEquals(images.map(({ name }) => name), ["train-0.jpg", "train-1.jpg"]);
    assertStringIncludes(table[0].used, "the graph of 2 training images");
  });
});

Deno.test("openData() reports images of a subject that are there twice, in one split or both", () =>
  inTemporaryFolder(async (dir) => {
    await writeSubject(dir, 3);
    for (const [i, color] of ["#123", "#456"].entries()) {
      await writePhoto(`${imageFolder(dir, "training")}/train-${i}.jpg`, color);
    }
    clearSkipped();
    (await openData({ algonauts: dir }, 3)).close();
    assertEquals(skippedLines().filter((line) => line.includes("twice")), []);
    await Deno.mkdir(imageFolder(dir, "test"), { recursive: true });
    for (const [i, color] of ["#456", "#789"].entries()) {
      await writePhoto(`${imageFolder(dir, "test")}/test-${i}.jpg`, color);
    }
    for (const [hemisphere, voxels] of [["lh", 5], ["rh", 4]] as const) {
      await writeAlgonautsResponses(dir, "test", responses(hemisphere, 2, voxels));
    }
    (await openData({ algonauts: dir }, 3)).close();
    assertEquals(skippedLines().filter((line) => line.includes("twice")), [
      `1 of 5 images of ${dir} is there twice (test-0.jpg is train-1.jpg): scores are too high where one is learned from ` +
      "and the other is held out",
    ]);
    clearSkipped();
  }));

Deno.test("openData() says in one sentence what cannot be used", async () => {
  await inTemporaryFolder(async (dir) => {
    await writeSubject(`${dir}/release/subj05`, 1);
    await writeVoc(`${dir}/voc`, ["a"]);
    await Deno.remove(`${dir}/voc/JPEGImages/a.jpg`);
    const refused = (folders: Parameters<typeof openData>[0], message: string) =>
      assertRejects(() => openData(folders), Error, message);
    await refused({}, "There is no data: give --data KIND:DIR or --images DIR.");
    await refused(
      { algonauts: `${dir}/release` },
      `takes one subject's folder of the 2023 release, such as ${dir}/release/subj05.`,
    );
    await refused({ algonauts: `${dir}/none` }, `There is no folder ${dir}/none.`);
    await refused(
      { voc: `${dir}/voc` },
      `${dir}/voc has no photograph with a mask: expected JPEGImages/a.jpg`,
    );
    await refused({ voc: `${dir}/none` }, `The folder ${dir}/none/SegmentationClass has no masks`);
    await refused({ "imagenet-seg": dir }, `There is no file ${dir}/gtsegs_ijcv.mat.`);
    await refused({ images: `${dir}/none` }, `There is no folder ${dir}/none.`);
  });
});

Deno.test("openData() opens photographs that a plan has listed as it opened all, and none that has changed", () =>
  inTemporaryFolder(async (dir) => {
    await writeVoc(`${dir}/voc`, ["b", "a", "c", "d"]);
    await writeImagenet(`${dir}/seg`, 2);
    await Deno.mkdir(`${dir}/images`);
    for (const name of ["x", "y"]) await writePhoto(`${dir}/images/${name}.jpg`, "#123");
    const folders = { voc: `${dir}/voc`, "imagenet-seg": `${dir}/seg`, images: `${dir}/images` };
    const whole = await openData(folders, 2), { keys, table, classes, listed, images: all } = whole;
    const count = all.length, entries = listed.map((one, i) => [i, one] as [number, typeof one]);
    assertEquals([count, listed.length, whole.further.length], [6, 8, 2]);
    const planned = { count, namesSha256: "", keys, table, classes, further: listed.slice(count) };
    const { images, further, close, ...rest } = await openData(folders, 2, {}, {
      ...planned,
      chosen: entries.slice(1, count),
    });
    assertEquals([rest.keys, rest.table, rest.classes], [keys, table, classes]);
    assert(!(0 in images));
    const named = (some: typeof all) => some.map(({ name }) => name);
    assertEquals([named(images).slice(1), named(further)], [named(all).slice(1), named(whole.further)]);
    for (let i = 1; i < count; i++) {
      assertEquals(await images[i].load(), await all[i].load());
      assertEquals(await images[i].mask?.(), await all[i].mask?.());
      assertEquals(await images[i].classMask?.(), await all[i].classMask?.());
    }
    await writeMask(`${dir}/voc/SegmentationClass/b.png`, FIGURE);
    await assertRejects(
      () => images[1].classMask!(),
      Error,
      "SegmentationClass/b.png has changed since the run was",
    );
    assertEquals(await images[4].load(), await all[4].load());
    for (const one of [whole, { close }]) one.close();
  }));
