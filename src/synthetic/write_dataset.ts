/**
 * The synthetic dataset on disk: scenes, the simulated subject's responses and the ground truth, in the layouts of
 * Algonauts 2023, PASCAL VOC and ImageNet-Segmentation.
 *
 * OUT/algonauts/subj01     training_split, test_split, roi_masks
 * OUT/voc                  JPEGImages, SegmentationClass, ImageSets, class_names.txt
 * OUT/imagenet_segmentation/gtsegs_ijcv.mat
 * OUT/truth                captions and objects (*.jsonl), categories and parts of each pixel (palette PNG)
 * OUT/dataset.json           what was written; it appears last
 */
import { createHash } from "node:crypto";
import sharp from "sharp";
import { CATEGORIES, renderScene, type Scene } from "../../fixtures/scenes/mod.ts";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { readNpy } from "../data/formats/npy.ts";
import { encodePalettePng } from "../data/images/palette_png.ts";
import { HEMISPHERES } from "../data/datasets/subject.ts";
import { VOC_VOID } from "../data/datasets/voc.ts";
import { writeImagenetSegmentation } from "../data/datasets/write_imagenet_segmentation.ts";
import { subjectVertices } from "./subject_cortex.ts";
import {
  hemisphereVoxels,
  releaseRois,
  type SimulatedSubject,
  statedCeilings,
  voxelTruth,
} from "./subject_voxels.ts";
import {
  writeAlgonautsNoiseCeiling,
  writeAlgonautsResponses,
  writeAlgonautsRois,
  writeAlgonautsVertices,
} from "../data/datasets/write_algonauts.ts";
import type { AlgonautsSplit } from "../data/datasets/algonauts_paths.ts";
import {
  BLOCK,
  type SceneBlock,
  subjectFolder,
  truthWriter,
  unfinishedPath,
  writeTruth,
} from "./scene_block.ts";
import { writeBlocks } from "./write_blocks.ts";

/** Seeds `from` … `from + count − 1`. */
export interface SeedRange {
  from: number;
  count: number;
}

/** The scenes of a dataset; all seeds are below 100,000, so no model was trained on them. */
export interface DatasetPlan {
  /** For segmentation and the graph. */
  graph: SeedRange;
  /** Behind them in the lists of `voc`: for tests on images that are not in the graph. */
  further: SeedRange;
  /** What the subject's responses are fitted on. */
  training: SeedRange;
  /** What the fits are tested on. */
  test: SeedRange;
  subjectSeed: number;
}

/** What a finished dataset says of itself. */
export interface SyntheticDataset extends DatasetPlan {
  voxels: number;
  /** Of the first scene, the subject's response to it and where its voxels lie: distinguishes datasets of different versions. */
  fingerprint: string;
}

/**
 * Plans a dataset: for every 10 training scenes 2 held-out ones, 1 for the graph and 1 further.
 *
 * Seeds start at 0 (graph), 10,000 (training), 60,000 (test) and 80,000 (further).
 *
 * @param scenes training scenes, 1 to 50,000
 * @param subjectSeed of the simulated subject
 */
export function planDataset(scenes: number, subjectSeed = 0): DatasetPlan {
  return {
    graph: { from: 0, count: Math.ceil(scenes / 10) },
    training: { from: 10_000, count: scenes },
    test: { from: 60_000, count: Math.ceil(scenes / 5) },
    further: { from: 80_000, count: Math.ceil(scenes / 10) },
    subjectSeed,
  };
}

/**
 * Writes a dataset, or goes on where an earlier call was stopped; a finished one is left as it is.
 *
 * @param out the folder
 * @param plan which scenes
 * @param subject the subject, created with `plan.subjectSeed`
 * @param onProgress called with how many steps are done, of how many
 * @param threads that render scenes, each with a subject of its own from `createSubject`; default 1, this one with `subject`
 * @returns what `dataset.json` says
 * @throws Error "The folder … holds a synthetic dataset of other scenes: …"
 */
export async function writeDataset(
  out: string,
  plan: DatasetPlan,
  subject: SimulatedSubject,
  onProgress: (done: number, total: number, note: string) => void = () => {},
  threads = 1,
): Promise<SyntheticDataset> {
  const first = renderScene(plan.graph.from), vertices = subjectVertices(subject);
  const fingerprint = createHash("sha256").update(first.rgb)
    .update(new Uint8Array(subject.measure(first, 0).slice().buffer))
    .update(new Uint8Array(vertices.buffer)).digest("hex");
  const dataset: SyntheticDataset = { ...plan, voxels: subject.voxels.count, fingerprint };
  const text = JSON.stringify(dataset, null, 2) + "\n";
  if (await isClaimed(`${out}/dataset.json`, text, out)) return dataset;
  const unfinished = `${out}/.unfinished`;
  await Deno.mkdir(unfinished, { recursive: true });
  if (!await isClaimed(`${unfinished}/dataset.json`, text, out)) {
    await writeFileAtomic(`${unfinished}/dataset.json`, text);
  }

  let done = 0;
  const steps = datasetSteps(plan),
    tick = (note: string) => onProgress(++done, steps, note),
    splits = ["training", "test"] as const;
  await writeBlocks({
    out,
    blocks: splits.flatMap((split) => blocksOf(split, plan[split])),
    subject,
    subjectSeed: plan.subjectSeed,
    threads,
    first: () => writeSegmentation(out, plan, tick),
    tick,
  });
  for (const split of splits) await joinBlocks(out, split, plan[split], subject);
  const folder = subjectFolder(out);
  await writeAlgonautsRois(folder, releaseRois(subject));
  const ceilings = statedCeilings(subject), left = hemisphereVoxels(subject, "lh").length;
  await writeAlgonautsNoiseCeiling(folder, "lh", ceilings.slice(0, left));
  await writeAlgonautsNoiseCeiling(folder, "rh", ceilings.slice(left));
  for (const hemisphere of HEMISPHERES) {
    const own = Int32Array.from(hemisphereVoxels(subject, hemisphere), (voxel) => vertices[voxel]);
    await writeAlgonautsVertices(folder, hemisphere, own);
  }
  await writeFileAtomic(`${out}/truth/voxels.json`, JSON.stringify(voxelTruth(subject)) + "\n");
  await Deno.remove(unfinished, { recursive: true });
  await writeFileAtomic(`${out}/dataset.json`, text);
  return dataset;
}

/** Number of steps that `writeDataset` reports. */
export function datasetSteps({ graph, further, training, test }: DatasetPlan): number {
  return graph.count + further.count + 2 * (training.count + test.count);
}

/** Whether the folder is at work on this dataset; another one is not touched. */
async function isClaimed(path: string, text: string, out: string): Promise<boolean> {
  let found: string;
  try {
    found = await Deno.readTextFile(path);
  } catch {
    return false;
  }
  if (found === text) return true;
  if (found.replace('"observerSeed":', '"subjectSeed":') === text) { // as the version before called it
    await writeFileAtomic(path, text);
    return true;
  }
  throw new Error(
    `The folder ${out} holds a synthetic dataset of other scenes or another version: choose another --out, or delete it.`,
  );
}

/** The blocks of a split. */
function blocksOf(split: AlgonautsSplit, { from, count }: SeedRange): SceneBlock[] {
  return Array.from({ length: Math.ceil(count / BLOCK) }, (_, b) => {
    const first = b * BLOCK;
    return { split, first, count: Math.min(BLOCK, count - first), from: from + first };
  });
}

/** Joins what the blocks of a split have left. */
async function joinBlocks(
  out: string,
  split: AlgonautsSplit,
  range: SeedRange,
  subject: SimulatedSubject,
): Promise<void> {
  const { count } = subject.voxels, all = new Float32Array(range.count * count), lines: string[] = [];
  for (const block of blocksOf(split, range)) {
    const path = unfinishedPath(out, block);
    all.set((await readNpy(`${path}.npy`)).data as Float32Array, block.first * count);
    lines.push(await Deno.readTextFile(`${path}.jsonl`));
  }
  for (const hemisphere of HEMISPHERES) {
    const voxels = hemisphereVoxels(subject, hemisphere);
    const data = new Float32Array(range.count * voxels.length);
    for (let i = 0; i < range.count; i++) {
      for (let v = 0; v < voxels.length; v++) data[i * voxels.length + v] = all[i * count + voxels[v]];
    }
    await writeAlgonautsResponses(subjectFolder(out), split, { hemisphere, data, rows: range.count });
  }
  await writeTruth(out, split, lines.join(""));
}

async function writeSegmentation(
  out: string,
  { graph, further }: DatasetPlan,
  tick: (note: string) => void,
): Promise<void> {
  const voc = `${out}/voc`, lists = `${voc}/ImageSets/Segmentation`;
  for (
    const folder of [lists, `${voc}/JPEGImages`, `${voc}/SegmentationClass`, `${out}/imagenet_segmentation`]
  ) {
    await Deno.mkdir(folder, { recursive: true });
  }
  const write = await truthWriter(out, "graph");
  const names: string[] = [], images = [];
  const seeds = [graph, further].flatMap(({ from, count }) =>
    Array.from({ length: count }, (_, i) => from + i)
  );
  for (const seed of seeds) {
    const scene = renderScene(seed), { width, height } = scene;
    const name = `scene_${String(scene.seed).padStart(6, "0")}`;
    names.push(name);
    const jpeg = await sharp(scene.rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer();
    await writeFileAtomic(`${voc}/JPEGImages/${name}.jpg`, jpeg);
    const mask = encodePalettePng({ width, height, data: withVoidRim(scene) });
    await writeFileAtomic(`${voc}/SegmentationClass/${name}.png`, mask);
    if (images.length < graph.count) {
      images.push({
        id: name,
        image: { width, height, data: scene.rgb },
        mask: { width, height, data: scene.figure },
      });
    }
    await write.scene(name, scene);
    tick("segmentation");
  }
  const half = names.length >> 1;
  const sets = { trainval: names, train: names.slice(0, half), val: names.slice(half) };
  for (const [set, listed] of Object.entries(sets)) {
    await writeFileAtomic(`${lists}/${set}.txt`, listed.map((name) => `${name}\n`).join(""));
  }
  await writeFileAtomic(`${voc}/class_names.txt`, ["_background_", ...CATEGORIES].join("\n") + "\n");
  await writeImagenetSegmentation(`${out}/imagenet_segmentation/gtsegs_ijcv.mat`, images);
  await writeTruth(out, "graph", write.lines());
}

/** The category of each pixel, with the ground that touches a figure left out of scoring, as PASCAL VOC does. */
function withVoidRim({ width, height, categoryMask }: Scene): Uint8Array {
  return categoryMask.map((category, i) => {
    if (category > 0) return category;
    const x = i % width, y = Math.floor(i / width);
    const touches = x > 0 && categoryMask[i - 1] || x < width - 1 && categoryMask[i + 1] ||
      y > 0 && categoryMask[i - width] || y < height - 1 && categoryMask[i + width];
    return touches ? VOC_VOID : 0;
  });
}
