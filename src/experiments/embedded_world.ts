/** The embedded world and models, made on first use. */
import { createObserver } from "../../fixtures/observer/mod.ts";
import { writeFileAtomic } from "../data/atomic_write.ts";
import { hashOfCode } from "../data/code_hash.ts";
import { EMBEDDED_FOLDER } from "../data/known_models.ts";
import { planWorld, type World, worldSteps, writeWorld } from "./fixtures_world.ts";

/** Where `deno task fixtures` writes the world when not told otherwise. */
export const WORLD_FOLDER = new URL("../../.cache/world", import.meta.url).pathname;

/** The embedded vision transformers, in the order of their names. */
export function embeddedModels(): string[] {
  const names = [...Deno.readDirSync(EMBEDDED_FOLDER)].map(({ name }) => name).filter((name) =>
    name.endsWith(".onnx")
  );
  return names.sort().map((name) => `${EMBEDDED_FOLDER}/${name}`);
}

/** What a world depends on beside its plan. */
const CODE = ["fixtures/scenes", "fixtures/observer"];
/** Notes, in a world's folder, the plan and the code that it is known to come from. */
const MADE = "made.json";

/** Training scenes of the default world. */
export const SCENES = 1000;

/** Where a world of so many training scenes is kept. */
export function worldFolder(scenes: number): string {
  return scenes === SCENES ? WORLD_FOLDER : `${WORLD_FOLDER}-${scenes}`;
}

/** The observer of a world, as a subject's folder. */
export function subjectOf({ training }: World): string {
  return `${worldFolder(training.count)}/algonauts/subj01`;
}

/**
 * Writes the embedded world where it is not there yet.
 *
 * @param scenes training scenes
 * @param onProgress told how many steps are done, of how many
 */
export async function embeddedWorld(
  scenes: number,
  onProgress?: (done: number, total: number, note: string) => void,
): Promise<World> {
  const seed = 0, plan = planWorld(scenes, seed), folder = worldFolder(scenes);
  const made = JSON.stringify({ code: await hashOfCode(CODE), plan });
  const known = await finishedWorld(folder, made);
  if (known) return known;
  const world = await writeWorld(
    folder,
    plan,
    createObserver(seed),
    (done, note) => onProgress?.(done, worldSteps(plan), note),
  );
  await writeFileAtomic(`${folder}/${MADE}`, made).catch(() => {}); // compared again by the next run
  return world;
}

/** The world of this plan and code, if a run has checked it: making the observer, to compare, takes longer than most stages. */
async function finishedWorld(folder: string, made: string): Promise<World | null> {
  try {
    if (await Deno.readTextFile(`${folder}/${MADE}`) !== made) return null;
    return JSON.parse(await Deno.readTextFile(`${folder}/world.json`));
  } catch {
    return null; // not there yet
  }
}

/** The segmentation scenes of a world, as a folder in the layout of PASCAL VOC. */
export function vocOf({ training }: World): string {
  return `${worldFolder(training.count)}/voc`;
}
