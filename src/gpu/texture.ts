/** Textures that hold what a buffer holds, for the kernels of the software adapter. */
import { assertHealthy, type Gpu, guarded } from "./device.ts";
import { recordTexels } from "./kernel.ts";

/** Texels in a row. */
const WIDTH = 2048;
const USAGE = 0x08 | 0x02; // STORAGE_BINDING | COPY_DST
/** Bytes of a texel: four floats. */
const BYTES = 16;

/**
 * A shader that reads its arrays of vec4 from textures: vec4 number i of an array from texel (i % 2048, i / 2048).
 *
 * @param names arrays that are declared as `var<storage, read> NAME: array<vec4f>;` and indexed by names alone
 * @throws RangeError naming an array that the shader does not have
 */
export function readingTextures(code: string, ...names: string[]): string {
  return names.reduce((text, name) => {
    const array = `var<storage, read> ${name}: array<vec4f>;`;
    if (!text.includes(array)) throw new RangeError(`The shader has no array of vec4 ${name}.`);
    return text.replace(array, `var ${name}: texture_storage_2d<rgba32float, read>;`)
      .replace(
        new RegExp(`\\b${name}\\[(\\w+)\\]`, "g"),
        `textureLoad(${name}, vec2u($1 % ${WIDTH}, $1 / ${WIDTH}))`,
      );
  }, code);
}

/**
 * Rows that textures come in: eight sizes an octave, so that a released one fits the next request. None is a power of two, since
 * Mesa compiles a kernel once for textures that are and once for those that are not.
 */
function heightClass(rows: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(rows)) - 3);
  let height = Math.ceil(rows / step) * step;
  while (Number.isInteger(Math.log2(height))) height++;
  return height;
}

/**
 * A texture with what the texels [first, first + count) of a buffer hold when all that was recorded before has run: number i of
 * them at (i % 2048, i / 2048). Free it with `releaseTexture`.
 *
 * @throws RangeError when the adapter's textures are too small
 */
export function textureOf(
  gpu: Gpu,
  buffer: GPUBuffer,
  first: number,
  count: number,
  label: string,
): GPUTexture {
  const texture = allocateTexture(gpu, Math.ceil(count / WIDTH), label);
  recordTexels(
    gpu,
    { buffer, offset: first * BYTES, bytesPerRow: WIDTH * BYTES },
    texture,
    count,
    WIDTH,
  );
  return texture;
}

function allocateTexture(gpu: Gpu, rows: number, label: string): GPUTexture {
  assertHealthy(gpu);
  const most = gpu.device.limits.maxTextureDimension2D;
  if (rows > most) {
    throw new RangeError(`${label} needs a texture of ${rows} rows, the adapter allows ${most}.`);
  }
  const free = freeTexture(gpu, rows);
  const height = free?.height ?? Math.min(heightClass(rows), most), bytes = WIDTH * height * BYTES;
  const texture = free ?? guarded(
    gpu,
    () => `Allocating a texture for ${label} (${(bytes / 2 ** 20).toFixed(1)} MiB)`,
    () => gpu.device.createTexture({ size: [WIDTH, height], format: "rgba32float", usage: USAGE, label }),
  );
  if (!free) gpu.memory.held += bytes;
  gpu.state.inUse.add(texture);
  gpu.memory.inUse += bytes;
  gpu.memory.peak = Math.max(gpu.memory.peak, gpu.memory.inUse);
  return texture;
}

/** The lowest released texture of at least N rows and at most twice as many. */
function freeTexture(gpu: Gpu, rows: number): GPUTexture | undefined {
  const least = heightClass(rows), most = Math.max(least, 2 * rows);
  for (let height = least; height <= most; height = heightClass(height + 1)) {
    const texture = gpu.state.pool.get(`texture ${height}`)?.free.pop();
    if (texture) return texture as GPUTexture;
  }
}

/** Gives a texture back for reuse; commands already recorded may still use it. One that was given back already is left alone. */
export function releaseTexture(gpu: Gpu, texture: GPUTexture): void {
  if (!gpu.state.inUse.delete(texture)) return;
  const key = `texture ${texture.height}`;
  const bytes = texture.width * texture.height * BYTES, alike = gpu.state.pool.get(key);
  gpu.memory.inUse -= bytes;
  if (alike) alike.free.push(texture);
  else gpu.state.pool.set(key, { bytes, free: [texture] });
}
