/** Work that is tried again with less where the device has no memory for it. */
import { recoverMemory, settle } from "./buffer.ts";
import { type Gpu, OutOfMemory } from "./device.ts";
import { flush } from "./kernel.ts";

/** Parts of fewer rows save nothing. */
const MIN_ROWS = 64;

/** Rows of a part to try one after the other: so many, half of them, and on down to 64. */
export function halves(rows: number): number[] {
  const sizes = [rows];
  while (sizes.at(-1)! > MIN_ROWS) sizes.push(Math.ceil(sizes.at(-1)! / 2));
  return sizes;
}

/**
 * Does work in the first of several sizes that the device has memory for.
 *
 * @param sizes to try, each taking less memory than the one before
 * @param work allocates, records and reads back all that it needs itself: between two trials what it recorded is dropped and
 *   what it still holds is given back
 * @throws OutOfMemory when there is no memory for the last size either; whatever else `work` throws, at once
 */
export async function firstThatFits<Size, T>(
  gpu: Gpu,
  sizes: readonly Size[],
  work: (size: Size) => Promise<T>,
): Promise<T> {
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
