/** Which form of the kernels an adapter runs fastest. */
import type { Gpu, Variant } from "../gpu/mod.ts";
import { readsTextures, timeKernels, VARIANTS } from "../gpu/mod.ts";
import { multiply } from "./matmul.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "./matrix.ts";
import { randomMatrix, seededRandom } from "./random.ts";

const ROUNDS = 3;
/** Rows of the square product that is timed: milliseconds of work. */
const SIZE = { software: 256, hardware: 2048 };
/** Another variant than the adapter's kind has by default must be this much faster. */
const CLEARLY = 1.2;

/**
 * Times a product in every variant, turn by turn, and takes the one whose fastest round is the fastest; the one that the
 * device was opened with, unless another is a fifth faster. Results do not depend on it: all give the same bits.
 *
 * Cost: twelve products of 256³ on a software adapter, of 2048³ on a card.
 */
export async function fastestVariant(gpu: Gpu): Promise<Variant> {
  const n = SIZE[gpu.adapter.software ? "software" : "hardware"], random = seededRandom(0);
  const square = () => uploadMatrix(gpu, randomMatrix(n, n, random), "timed product"),
    a = square(),
    b = square();
  try {
    const variants = VARIANTS.filter((variant) => variant !== "textures" || readsTextures());
    const best = new Map(variants.map((variant) => [variant, Infinity]));
    for (let round = 0; round <= ROUNDS; round++) {
      for (const variant of variants) {
        const spent = await timed({ ...gpu, variant }, (device) => multiply(device, a, b));
        if (round > 0) best.set(variant, Math.min(best.get(variant)!, spent)); // the first compiles
      }
    }
    const fastest = variants.reduce((x, y) => best.get(y)! < best.get(x)! ? y : x);
    return best.get(gpu.variant)! > CLEARLY * best.get(fastest)! ? fastest : gpu.variant;
  } finally {
    releaseMatrix(gpu, a, b);
  }
}

/** Milliseconds on the device, or where it has no timestamps until the result is here. */
async function timed(gpu: Gpu, product: (gpu: Gpu) => ReturnType<typeof multiply>): Promise<number> {
  const started = performance.now();
  const kernels = await timeKernels(gpu, async () => {
    const c = product(gpu);
    await downloadMatrix(gpu, c);
    releaseMatrix(gpu, c);
  });
  const spent = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return spent > 0 ? spent : performance.now() - started;
}
