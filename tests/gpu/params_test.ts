import { assertEquals, assertThrows } from "@std/assert";
import { openGpu } from "../../mod.ts";
import { dispatch, sync } from "../../src/gpu/mod.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";

Deno.test("dispatch() names a parameter that is missing, and one that the kernel does not have", async () => {
  using gpu = await openGpu();
  const code = `struct Params { rows: u32, out_row: u32 /* first */ } // plus: f32
      @group(0) @binding(0) var<uniform> params: Params;
      @compute @workgroup_size(1) fn main() { _ = params.rows; }`;
  const run = (params: Record<string, number>) => () =>
    dispatch(gpu, { label: "two", code }, { buffers: [], params, workgroups: [1], sizes: "1" });
  assertThrows(run({ rows: 1 }), RangeError, 'The kernel "two" lacks its parameter outRow.');
  const message = 'The kernel "two" has no parameter plus.';
  assertThrows(run({ rows: 1, outRow: 2, plus: 1 }), RangeError, message);
  run({ outRow: 2, rows: 1 })();
  await sync(gpu);
});

Deno.test("more dispatches than parameter slots run in order", async () => {
  using gpu = await openGpu();
  const code = `struct Params { step: u32, times: f32 }
      @group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @group(0) @binding(1) var<uniform> params: Params;
      @compute @workgroup_size(1) fn main() { x[0] = x[0] * params.times + f32(params.step); }`;
  const x = uploadMatrix(gpu, { data: new Float32Array(1), rows: 1, cols: 1 }, "x");
  let expected = 0;
  for (let step = 0; step < 600; step++) {
    dispatch(gpu, { label: "step", code }, {
      buffers: [x.panels[0]],
      params: { times: 0.5, step },
      workgroups: [1],
      sizes: "1",
    });
    expected = Math.fround(Math.fround(expected * 0.5) + step);
  }
  assertEquals([...(await downloadMatrix(gpu, x)).data], [expected]);
  releaseMatrix(gpu, x);
});
