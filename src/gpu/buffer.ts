/** Storage buffers: allocation with reuse, counting, and the way to and from the host. */
import { assertHealthy, destroyFree, type Gpu, guarded, leaveFailureBehind, OutOfMemory } from "./device.ts";
import { flush, recordCopy } from "./kernel.ts";
import { releaseTexture } from "./texture.ts";

const USAGE = 0x80 | 0x40 | 0x04 | 0x08; // STORAGE | UNIFORM | COPY_SRC | COPY_DST
const READBACK_USAGE = 0x01 | 0x08; // MAP_READ | COPY_DST

/** Up to here buffers come in eight sizes an octave: stages ask for many that differ little, and each would be kept for later. */
const COARSE = 8 * 2 ** 20;

/** Buffers come in sizes that repeat, so that a released one fits the next request. */
function sizeClass(bytes: number): number {
  if (bytes <= 65536) return Math.max(256, Math.ceil(bytes / 256) * 256);
  const step = bytes > COARSE ? 65536 : Math.max(65536, 2 ** (Math.floor(Math.log2(bytes - 1)) - 3));
  return Math.ceil(bytes / step) * step;
}

/**
 * Hands out a storage buffer of at least `bytes` bytes, reusing a released one. Its content is undefined.
 *
 * @throws RangeError "… needs … bytes in one buffer, the adapter allows …"
 */
export function allocate(gpu: Gpu, bytes: number, label: string): GPUBuffer {
  leaveFailureBehind(gpu);
  assertHealthy(gpu);
  const size = sizeClass(bytes);
  if (bytes > gpu.limits.bufferBytes) {
    throw new RangeError(
      `${label} needs ${bytes} bytes in one buffer, the adapter allows ${gpu.limits.bufferBytes}.`,
    );
  }
  let buffer = gpu.state.pool.get(`${size}`)?.free.pop() as GPUBuffer | undefined;
  if (!buffer) {
    buffer = guarded(
      gpu,
      () => `Allocating ${label} (${(size / 2 ** 20).toFixed(1)} MiB)`,
      () => gpu.device.createBuffer({ size, usage: USAGE, label }),
    );
    gpu.memory.held += size;
  }
  gpu.state.inUse.add(buffer);
  gpu.memory.inUse += size;
  gpu.memory.peak = Math.max(gpu.memory.peak, gpu.memory.inUse);
  return buffer;
}

/** Gives a buffer back for reuse; commands already recorded may still use it. One that was given back already is left alone. */
export function release(gpu: Gpu, buffer: GPUBuffer): void {
  if (!gpu.state.inUse.delete(buffer)) return;
  const size = sizeClass(buffer.size);
  gpu.memory.inUse -= size;
  const sameSize = gpu.state.pool.get(`${size}`);
  if (sameSize) sameSize.free.push(buffer);
  else gpu.state.pool.set(`${size}`, { bytes: size, free: [buffer] });
}

/**
 * Makes a device usable again that had no memory for something: drops what is recorded and all buffers and textures but those of `held`.
 * Whatever was computed since the last read-back is lost.
 */
export async function recoverMemory(gpu: Gpu, held: ReadonlySet<GPUBuffer | GPUTexture>): Promise<void> {
  const { state } = gpu;
  if (!(state.failure instanceof OutOfMemory)) return;
  state.pass?.end();
  state.pass = state.encoder = null;
  state.recorded = [];
  await Promise.all(state.scopes);
  state.scopes = [];
  state.failure = null;
  state.isReported = false;
  for (const data of state.inUse) {
    if (held.has(data)) continue;
    if ("createView" in data) releaseTexture(gpu, data);
    else release(gpu, data);
  }
  trim(gpu);
}

/** Destroys the buffers and textures that nobody holds, for when the next stage needs other sizes. */
export function trim(gpu: Gpu): void {
  flush(gpu);
  destroyFree(gpu);
}

/** Bytes that may be held for later, beside half of the most that was ever in use at once. */
const SPARE = 2 ** 26;

/** Destroys what nobody holds where it is so much that it cannot all be for the next step of the same work. */
function trimExcess(gpu: Gpu): void {
  const { held, peak } = gpu.memory;
  if (held > 1.5 * peak + SPARE) trim(gpu);
}

/** Writes host values at byte `offset` of a buffer, after all that was recorded before. */
export function writeBuffer(gpu: Gpu, buffer: GPUBuffer, data: Float32Array | Uint32Array, offset = 0): void {
  assertHealthy(gpu);
  if (data.byteLength === 0) return;
  flush(gpu);
  gpu.device.queue.writeBuffer(buffer, offset, data as BufferSource);
}

/** A part of a buffer to read back. */
export interface ReadRange {
  buffer: GPUBuffer;
  bytes: number;
}

/**
 * Waits for the work recorded so far and reads buffers back, all in one wait.
 *
 * @returns one ArrayBuffer per range
 * @throws Error what went wrong on the device since the last wait, naming the kernel and its sizes
 */
export async function readBuffers(gpu: Gpu, ranges: ReadRange[]): Promise<ArrayBuffer[]> {
  assertHealthy(gpu);
  const total = ranges.reduce((sum, range) => sum + range.bytes, 0);
  const staging = gpu.device.createBuffer({
    size: Math.max(4, Math.ceil(total / 4) * 4),
    usage: READBACK_USAGE,
    mappedAtCreation: MAPS_EARLY,
    label: "readback",
  });
  let mapped = Promise.resolve(), early: ArrayBuffer | null = null;
  try {
    if (MAPS_EARLY) staging.unmap();
    let at = 0;
    for (const { buffer, bytes } of ranges) {
      if (bytes) recordCopy(gpu, buffer, staging, at, bytes);
      at += bytes;
    }
    flush(gpu);
    mapped = staging.mapAsync(1 /* READ */);
    mapped.catch(() => {}); // reported where it is waited for
    early = MAPS_EARLY ? mappedNow(staging) : null;
    if (!early) await mapped;
    else await turnOfOthers();
    await settle(gpu);
    trimExcess(gpu);
    const all = early ?? staging.getMappedRange();
    at = 0;
    return ranges.map(({ bytes }) => {
      const part = all.slice(at, at + bytes);
      at += bytes;
      return part;
    });
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve, 10)); // the loss of a device is reported after what it breaks
    await settle(gpu);
    throw error;
  } finally {
    // Between reads that follow one another at once Deno finds no time to report it, and all would be held.
    if (early) staging.destroy();
    else mapped.catch(() => {}).finally(() => staging.destroy());
  }
}

/**
 * Deno 2.9.6 has mapped a buffer when `mapAsync` returns, but says so 10 ms later: it waits for the queue, then sleeps. A buffer
 * that was mapped at its creation can be read at once; others would end the process. Elsewhere the promise is waited for.
 */
const MAPS_EARLY = globalThis.navigator?.userAgent === "Deno/2.9.6";

/** Milliseconds after which timers and signals have their turn: what is mapped early is waited for without one. */
const LONGEST_TURN = 200;
let turned = 0;

/** Lets timers fire and signals arrive, by which work is stopped, where they had no turn for a while. */
export async function turnOfOthers(): Promise<void> {
  if (performance.now() - turned < LONGEST_TURN) return;
  await new Promise((resolve) => setTimeout(resolve));
  turned = performance.now();
}

/** What a buffer holds if it is mapped by now. */
function mappedNow(buffer: GPUBuffer): ArrayBuffer | null {
  try {
    return buffer.getMappedRange();
  } catch {
    return null; // not yet
  }
}

/** Waits until the device has done all that was recorded, and throws what went wrong. */
export async function sync(gpu: Gpu): Promise<void> {
  if (!MAPS_EARLY) {
    flush(gpu);
    await gpu.device.queue.onSubmittedWorkDone();
    return await settle(gpu);
  }
  assertHealthy(gpu); // what went wrong before is reported here, too
  const mark = allocate(gpu, 4, "mark"); // reading it back takes less than the queue, which is reported late, too
  try {
    await readBuffers(gpu, [{ buffer: mark, bytes: 4 }]);
  } finally {
    release(gpu, mark);
  }
}

/** Waits until it is known what went wrong with all that was recorded, and throws it. */
export async function settle(gpu: Gpu): Promise<void> {
  const scopes = gpu.state.scopes.splice(0);
  await Promise.all(scopes);
  await Promise.resolve();
  assertHealthy(gpu);
  gpu.state.running = [];
}
