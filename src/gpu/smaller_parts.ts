/** Retrying work in smaller parts when the device runs out of memory. */
import { recoverMemory, settle } from "./buffer.ts";
import { type Gpu, leaveFailureBehind, OutOfMemory } from "./device.ts";
import { flush } from "./kernel.ts";

/** Parts of fewer rows save nothing. */
const MIN_ROWS = 64;

/** Part sizes to try in order: `rows`, half of that, and so on, down to 64. */
export function halvings(rows: number): number[] {
  const sizes = [rows];
  while (sizes.at(-1)! > MIN_ROWS) sizes.push(Math.ceil(sizes.at(-1)! / 2));
  return sizes;
}

/**
 * Tries sizes in order until the device has enough memory for the work.
 *
 * @param sizes to try, each taking less memory than the one before
 * @param work allocates, records and reads back all that it needs itself: between two trials what it recorded is dropped and
 *   what it still holds is given back
 * @throws OutOfMemory when there is no memory for the last size either; whatever else `work` throws, at once
 */
export async function retryOnOutOfMemory<Size, T>(
  gpu: Gpu,
  sizes: readonly Size[],
  work: (size: Size) => Promise<T>,
): Promise<T> {
  leaveFailureBehind(gpu);
  flush(gpu); // what was recorded before is not to be dropped, and what went wrong with it not to be mended here
  await settle(gpu);
  const held = new Set(gpu.state.inUse);
  for (const [at, size] of sizes.entries()) {
    try {
      return await work(size);
    } catch (error) {
      if (!(error instanceof OutOfMemory) || at === sizes.length - 1) throw error;
      await recoverMemory(gpu, held);
    }
  }
  throw new RangeError("No size was given to try.");
}
