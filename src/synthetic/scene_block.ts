/** A few scenes of the synthetic dataset: each rendered once, for its image, the truth beside it, and the subject's response. */
import { encode } from "fast-png";
import { CATEGORIES, PARTS, renderScene, type Scene } from "../../fixtures/scenes/mod.ts";
import { type AlgonautsSplit, imageFolder } from "../data/datasets/algonauts_paths.ts";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { isFile } from "../data/files/plain_file.ts";
import { readNpy, writeNpy } from "../data/formats/npy.ts";
import { encodePalettePng } from "../data/images/palette_png.ts";
import { REPEATS, type SimulatedSubject } from "./subject_voxels.ts";

/** Scenes of a block: what a stopped run has finished of, it does not do again. */
export const BLOCK = 50;

/** Some scenes of a split. */
export interface SceneBlock {
  split: AlgonautsSplit;
  /** Index in the split of the first one. */
  first: number;
  count: number;
  /** Its seed; the others follow. */
  from: number;
}

/** The subject's folder in a dataset's. */
export function subjectFolder(out: string): string {
  return `${out}/algonauts/subj01`;
}

/** Where a block's responses and lines of truth wait for the others. */
export function unfinishedPath(out: string, { split, first }: SceneBlock): string {
  return `${out}/.unfinished/${split}-${first}`;
}

/**
 * Renders, measures and writes the scenes of a block; nothing where an earlier run has.
 *
 * @param tick called twice a scene, with what was done
 */
export async function writeSceneBlock(
  out: string,
  block: SceneBlock,
  subject: SimulatedSubject,
  tick: (note: string) => void,
): Promise<void> {
  const { split, first, count, from } = block, path = unfinishedPath(out, block);
  const isWritten = await readNpy(`${path}.npy`).then(() => isFile(`${path}.jsonl`), () => false);
  if (isWritten) {
    for (let i = 0; i < 2 * count; i++) tick(`${split} scenes`);
    return;
  }
  const folder = imageFolder(subjectFolder(out), split), prefix = split === "training" ? "train" : "test";
  await Deno.mkdir(folder, { recursive: true });
  const { voxels } = subject, truth = await truthWriter(out, split);
  const responses = new Float32Array(count * voxels.count);
  for (let i = 0; i < count; i++) {
    const scene = renderScene(from + i), { width, height, rgb: data } = scene;
    const number = String(first + i + 1).padStart(4, "0");
    const name = `${prefix}-${number}_scene-${String(scene.seed).padStart(5, "0")}`;
    await writeFileAtomic(`${folder}/${name}.png`, encode({ width, height, data, channels: 3, depth: 8 }));
    await truth.scene(name, scene);
    tick(`${split} images`);
    responses.set(meanResponse(subject, scene), i * voxels.count);
    tick(`${split} responses`);
  }
  await writeFileAtomic(`${path}.jsonl`, truth.lines());
  await writeNpy(`${path}.npy`, responses, [count, voxels.count]); // last: it says that the block is whole
}

function meanResponse(subject: SimulatedSubject, scene: Scene): Float32Array {
  const mean = new Float32Array(subject.voxels.count);
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const response = subject.measure(scene, repeat);
    for (let v = 0; v < mean.length; v++) mean[v] += response[v] / REPEATS;
  }
  return mean;
}

/** Writes the categories and parts of scenes' pixels, and gathers a line of what else is true of each. */
export async function truthWriter(out: string, split: string) {
  const folder = `${out}/truth/${split}`, lines: string[] = [];
  await Deno.mkdir(`${folder}/categories`, { recursive: true });
  await Deno.mkdir(`${folder}/parts`, { recursive: true });
  return {
    async scene(name: string, scene: Scene): Promise<void> {
      const { width, height, seed, caption, categoryName, backgroundName, objects } = scene;
      lines.push(
        JSON.stringify({ name, seed, caption, category: categoryName, background: backgroundName, objects }),
      );
      const planes = { categories: scene.categoryMask, parts: scene.parts };
      for (const [plane, data] of Object.entries(planes)) {
        await writeFileAtomic(`${folder}/${plane}/${name}.png`, encodePalettePng({ width, height, data }));
      }
    },
    lines: () => lines.map((line) => `${line}\n`).join(""),
  };
}

/** The lines of a split's scenes, and what the numbers in its planes stand for. */
export async function writeTruth(out: string, split: string, lines: string): Promise<void> {
  await writeFileAtomic(`${out}/truth/${split}.jsonl`, lines);
  const names = { categories: ["background", ...CATEGORIES], parts: PARTS };
  await writeFileAtomic(`${out}/truth/names.json`, JSON.stringify(names, null, 2) + "\n");
}
