import { assertEquals, assertRejects } from "@std/assert";
import { matmul, normalizedCut, openGpu } from "../../mod.ts";
import { allocate, dispatch, guarded, release, sync } from "../../src/gpu/mod.ts";
import { randomMatrix } from "../support/random.ts";

Deno.test("after a kernel that does not compile the device serves other work, and names it again; while a buffer is held it does not", async () => {
  using gpu = await openGpu();
  const code = "@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }";
  const broken = async () => {
    const buffer = allocate(gpu, 256, "data");
    try {
      dispatch(gpu, { label: "broken_kernel", code }, { buffers: [buffer], workgroups: [1], sizes: "64" });
      await sync(gpu);
    } finally {
      release(gpu, buffer);
    }
  };
  const x = randomMatrix(70, 5), message = 'Compiling the kernel "broken_kernel" (64): ';
  const cut = () => normalizedCut(gpu, x, { components: 2, storage: "stored" });
  const expected = [await matmul(gpu, x, x, { transposeB: true }), await cut()];
  for (let round = 0; round < 2; round++) {
    await assertRejects(broken, Error, message, `round ${round}`);
    assertEquals(await cut(), expected[1]);
    await assertRejects(broken, Error, message);
    assertEquals(await matmul(gpu, x, x, { transposeB: true }), expected[0]);
  }
  const held = allocate(gpu, 256, "of whoever else is at work");
  await assertRejects(broken, Error, message);
  await assertRejects(cut, Error, message, "what is held may never have been computed");
  release(gpu, held);
  assertEquals(await cut(), expected[1]);
});

Deno.test("what went wrong with work that nobody waited for is reported by the next call, and by that alone", async () => {
  using gpu = await openGpu();
  const x = randomMatrix(9, 5), size = 2 * gpu.device.limits.maxBufferSize;
  for (const wait of [0, 50]) { // by then the device has said it
    guarded(gpu, () => "Allocating affinity (4.0 GiB)", () => gpu.device.createBuffer({ size, usage: 0x80 }));
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await assertRejects(
      () => matmul(gpu, x, x, { transposeB: true }),
      Error,
      "Allocating affinity (4.0 GiB): ",
      `${wait} ms later`,
    );
    await matmul(gpu, x, x, { transposeB: true });
  }
});
