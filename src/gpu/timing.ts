/** GPU time per kernel, by timestamp queries. */
import type { Gpu } from "./device.ts";
import { flush } from "./kernel.ts";

/** GPU time of one kernel. */
export interface KernelTime {
  /** The kernel's label. */
  kernel: string;
  /** Runs that were timed. */
  dispatches: number;
  /** GPU time of all of them together. */
  milliseconds: number;
}

/** What WebGPU allows in one set of queries. */
const CAPACITY = 4096;

/**
 * Runs `work` and returns the GPU time of each kernel it dispatched, longest first.
 *
 * @param work dispatches kernels and waits for them
 * @returns milliseconds and dispatches by kernel; an empty list where the adapter has no timestamp-query
 */
export async function timeKernels(gpu: Gpu, work: () => Promise<void>): Promise<KernelTime[]> {
  if (!gpu.features.has("timestamp-query")) {
    await work();
    return [];
  }
  flush(gpu);
  const { device, state } = gpu, querySets: GPUQuerySet[] = [], labels: string[] = [];
  state.timer = {
    passDescriptor(label) {
      const first = 2 * labels.length % CAPACITY;
      if (first === 0) querySets.push(device.createQuerySet({ type: "timestamp", count: CAPACITY }));
      labels.push(label);
      const querySet = querySets.at(-1)!;
      return {
        timestampWrites: { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 },
      };
    },
  };
  const bytes = CAPACITY * 8;
  const resolved = device.createBuffer({ size: bytes, usage: 0x200 | 0x04 }); // QUERY_RESOLVE | COPY_SRC
  const staging = device.createBuffer({ size: bytes, usage: 0x01 | 0x08 }); // MAP_READ | COPY_DST
  try {
    await work();
    flush(gpu);
    const times = new Map<string, KernelTime>();
    for (const [i, querySet] of querySets.entries()) {
      const own = labels.slice(i * CAPACITY / 2, (i + 1) * CAPACITY / 2);
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(querySet, 0, 2 * own.length, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(1);
      const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
      staging.unmap();
      own.forEach((kernel, at) => {
        const time = times.get(kernel) ?? { kernel, dispatches: 0, milliseconds: 0 };
        time.dispatches++;
        time.milliseconds += Number(stamps[2 * at + 1] - stamps[2 * at]) / 1e6;
        times.set(kernel, time);
      });
    }
    return [...times.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  } finally {
    state.timer = null;
    for (const querySet of querySets) querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}
