import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  allocate,
  closeGpu,
  openGpu,
  readingTextures,
  release,
  releaseTexture,
  textureOf,
  trim,
} from "../../src/gpu/mod.ts";

Deno.test("textureOf() takes released textures again that are large enough, and counts their bytes", async () => {
  const gpu = await openGpu();
  const buffer = allocate(gpu, 2 ** 22, "values"), { inUse } = gpu.memory;
  const texels = (count: number) => textureOf(gpu, buffer, 0, count, "values");
  const one = texels(2048 * 20), held = gpu.memory.held;
  assert(gpu.memory.inUse >= inUse + 2048 * 20 * 16);
  releaseTexture(gpu, one);
  assertEquals(gpu.memory.inUse, inUse);
  const again = texels(2048 * 11 + 1);
  assert(again === one, "twelve rows fit twenty");
  assert(texels(2048 * 20) !== one, "it is in use");
  assert(gpu.memory.held > held);
  const low = texels(1);
  assert(low !== one);
  for (const texture of [again, low]) releaseTexture(gpu, texture);
  releaseTexture(gpu, again); // a second time does nothing
  assert(texels(1) === low, "one row does not take twenty");
  trim(gpu);
  assert(texels(2048 * 20) !== one, "it was destroyed");
  release(gpu, buffer);
  closeGpu(gpu);
});

Deno.test("closeGpu() gives textures back, too", async () => {
  const gpu = await openGpu();
  const buffer = allocate(gpu, 2 ** 16, "values");
  releaseTexture(gpu, textureOf(gpu, buffer, 0, 3000, "values"));
  release(gpu, buffer);
  closeGpu(gpu);
  assertEquals([gpu.memory.inUse, gpu.memory.held], [0, 0]);
});

Deno.test("readingTextures() has a shader read an array of vec4 from a texture, and no other", () => {
  const code =
    "var<storage, read> a: array<vec4f>;\nvar<storage, read> ba: array<vec4f>;\nlet v = a[at] + ba[at];";
  assertEquals(
    readingTextures(code, "a"),
    "var a: texture_storage_2d<rgba32float, read>;\nvar<storage, read> ba: array<vec4f>;\n" +
      "let v = textureLoad(a, vec2u(at % 2048, at / 2048)) + ba[at];",
  );
  assertThrows(() => readingTextures(code, "c"), RangeError, "The shader has no array of vec4 c.");
});

Deno.test("textureOf() says how many rows an adapter allows", async () => {
  const gpu = await openGpu();
  const buffer = allocate(gpu, 2 ** 16, "values"), most = gpu.device.limits.maxTextureDimension2D;
  assertThrows(
    () => textureOf(gpu, buffer, 0, 2048 * most + 1, "features"),
    RangeError,
    `features needs a texture of ${most + 1} rows, the adapter allows ${most}.`,
  );
  closeGpu(gpu);
});
