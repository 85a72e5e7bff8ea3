/** The embedded world and models, made on first use. */
import { createObserver } from "../../fixtures/observer/mod.ts";
import { planWorld, type World, worldSteps, writeWorld } from "./fixtures_world.ts";

/** Where `deno task fixtures` writes the world when not told otherwise. */
export const WORLD_FOLDER = new URL("../../.cache/world", import.meta.url).pathname;
const MODELS = new URL("../../fixtures/models", import.meta.url).pathname;

/** The embedded vision transformers, in the order of their names. */
export function embeddedModels(): string[] {
  const names = [...Deno.readDirSync(MODELS)].map(({ name }) => name).filter((name) =>
    name.endsWith(".onnx")
  );
  return names.sort().map((name) => `${MODELS}/${name}`);
}

/**
 * Writes the default world where it is not there yet.
 *
 * @param onProgress told how many steps are done, of how many
 */
export async function embeddedWorld(
  onProgress?: (done: number, total: number, note: string) => void,
): Promise<World> {
  const scenes = 1000, seed = 0, plan = planWorld(scenes, seed);
  return await writeWorld(
    WORLD_FOLDER,
    plan,
    createObserver(seed),
    (done, note) => onProgress?.(done, worldSteps(plan), note),
  );
}
