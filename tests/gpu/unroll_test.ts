import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { allocate, closeGpu, dispatch, openGpu, readBuffers } from "../../src/gpu/mod.ts";
import { unrolled } from "../../src/gpu/unroll.ts";

const SHADER = `
const ROWS: u32 = 4;
@group(0) @binding(0) var<storage, read_write> out: array<u32>;
struct Params {
  first: u32, // added to all sums
}
@group(0) @binding(1) var<uniform> params: Params;
@compute @workgroup_size(1)
fn main() {
  var sums: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // unrolled
    for (var q = 0u; q < 5; q += 2u) { // unrolled
      if (q > 0) {
        sums[r] += 10 * r + q;
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    out[r] = params.first + sums[r];
  }
}
`;

Deno.test("unrolled() writes marked loops out, inner ones too, and leaves others alone", () => {
  const code = unrolled(SHADER);
  assert(!code.includes("// unrolled"));
  assertEquals(code.match(/const r = \du;/g), [
    "const r = 0u;",
    "const r = 1u;",
    "const r = 2u;",
    "const r = 3u;",
  ]);
  assertEquals(code.match(/const q = [024]u;/g)?.length, 12);
  assertStringIncludes(code, "for (var r = 0u; r < ROWS; r++) {\n    out[r]");
});

Deno.test("a kernel computes the same written out, and a large one stays as it is on SwiftShader alone", async () => {
  const gpu = await openGpu(), results = [];
  for (const description of [gpu.adapter.description, "llvmpipe", "google swiftshader"]) {
    const state = { ...gpu.state, modules: new Map<string, GPUShaderModule>(), pipelines: new Map() };
    const device = { ...gpu, state, adapter: { ...gpu.adapter, description } };
    const out = allocate(device, 16, "out");
    dispatch(device, { label: "sums", code: SHADER, isLarge: true }, {
      buffers: [out],
      params: { first: 1 },
      workgroups: [1],
      sizes: "4",
    });
    const [bytes] = await readBuffers(device, [{ buffer: out, bytes: 16 }]);
    assertEquals([...new Uint32Array(bytes)], [7, 27, 47, 67], description);
    results.push([...state.modules.keys()].map((code) => code.includes("// unrolled")));
  }
  assertEquals(results.slice(1), [[false], [true]]);
  closeGpu(gpu);
});

Deno.test("unrolled() names the end of a loop that is no constant", () => {
  const loop = "for (var i = 0u; i < count; i++) { // unrolled\n}";
  assertThrows(() => unrolled(loop), RangeError, "no constant count");
  assertThrows(() => unrolled(loop.replace("count", "2").slice(0, -1)), RangeError, "no end");
});

Deno.test("unrolled() begins where a loop does, and names a marked line that it cannot write out", () => {
  const code = unrolled("for (var i = 1u; i < 3; i++) { // unrolled\n}");
  assertEquals(code.match(/const i = \du;/g), ["const i = 1u;", "const i = 2u;"]);
  const other = "for (var i = first; i < 3; i++) { // unrolled\n}";
  assertThrows(
    () => unrolled(other),
    RangeError,
    'for (var i = first; i < 3; i++) { // unrolled" is not a loop',
  );
});
