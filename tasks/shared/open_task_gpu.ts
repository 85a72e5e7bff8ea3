/** The device of a task, with the form of the kernels that is fastest on its adapter, timed once and remembered. */
import { dirname } from "node:path";
import { closeGpu, type Gpu, openGpu } from "../../mod.ts";
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { type Variant, VARIANTS } from "../../src/gpu/device.ts";
import { fastestVariant } from "../../src/linalg/fastest_variant.ts";
import { doubleSoftwareThreads } from "./software_threads.ts";

/**
 * Opens a device. Which variant an adapter runs fastest is read from `cache`/adapters.json, or timed and noted there; it
 * changes no result.
 *
 * @param adapter kind, as of `openGpu`
 * @param cache folder
 */
export async function openTaskGpu(adapter: "hardware" | "software" | undefined, cache: string): Promise<Gpu> {
  doubleSoftwareThreads();
  const gpu = await openGpu({ adapter });
  try {
    const path = `${cache}/adapters.json`, name = `${gpu.adapter.vendor} ${gpu.adapter.description}`.trim();
    const known = await remembered(path);
    if (!known[name]) {
      known[name] = await fastestVariant(gpu);
      await note(path, known);
    }
    return { ...gpu, variant: known[name] };
  } catch (error) {
    closeGpu(gpu);
    throw error;
  }
}

/** Best effort: a folder that cannot be written is reported by the stage that needs it. */
async function note(path: string, known: Record<string, Variant>): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, JSON.stringify(known, null, 2));
  } catch {
    // timed again by the next run
  }
}

/** What earlier runs have noted; nothing where that is absent or unreadable. */
async function remembered(path: string): Promise<Record<string, Variant>> {
  try {
    const noted: Record<string, unknown> = JSON.parse(await Deno.readTextFile(path));
    return Object.fromEntries(
      Object.entries(noted).filter(([, variant]) => VARIANTS.includes(variant as Variant)),
    ) as Record<string, Variant>;
  } catch {
    return {};
  }
}
