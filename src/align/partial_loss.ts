/** Losses that the GPU leaves in parts. */
import { type Gpu, readBuffers } from "../gpu/mod.ts";

/** Sums of losses still on the GPU, to be added up on the host. */
export interface PartialLoss {
  buffer: GPUBuffer;
  /** Values in the buffer. */
  count: number;
}

/** Waits for the parts and adds them up in float64. */
export async function total(gpu: Gpu, { buffer, count }: PartialLoss): Promise<number> {
  const [bytes] = await readBuffers(gpu, [{ buffer, bytes: count * 4 }]);
  return new Float32Array(bytes).reduce((sum, part) => sum + part, 0);
}
