import { assert, assertEquals } from "@std/assert";
import { openGpu } from "../../mod.ts";
import { dispatch, timeKernels } from "../../src/gpu/mod.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";

Deno.test("timeKernels() times every dispatch, also of more than one set of queries holds", async () => {
  using gpu = await openGpu();
  const kernel = (label: string) => ({
    label,
    code: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      struct Params { plus: f32 }
      @group(0) @binding(1) var<uniform> params: Params;
      @compute @workgroup_size(1) fn main() { x[0] += params.plus; }`,
  });
  const x = uploadMatrix(gpu, { data: new Float32Array(1), rows: 1, cols: 1 }, "x");
  const add = (label: string, plus: number) =>
    dispatch(gpu, kernel(label), { buffers: [x.panels[0]], params: { plus }, workgroups: [1], sizes: "1" });
  const times = await timeKernels(gpu, async () => {
    for (let i = 0; i < 2100; i++) add("many", 1);
    add("one more", 0.5);
    assertEquals([...(await downloadMatrix(gpu, x)).data], [2100.5]);
  });
  if (!gpu.features.has("timestamp-query")) return assertEquals(times, []);
  assertEquals(
    new Map(times.map(({ kernel, dispatches }) => [kernel, dispatches])),
    new Map([["many", 2100], ["one more", 1]]),
  );
  assert(times.every(({ milliseconds }) => Number.isFinite(milliseconds) && milliseconds >= 0));
  releaseMatrix(gpu, x);
});
