import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { closeGpu, type Gpu, matmul, normalizedCut, openGpu, rowNormalize } from "../../mod.ts";
import {
  allocate,
  dispatch,
  flush,
  guarded,
  readBuffers,
  release,
  sync,
  trim,
  writeBuffer,
} from "../../src/gpu/mod.ts";
import { allocateMatrix } from "../../src/linalg/matrix.ts";
import { fastestVariant } from "../../src/linalg/fastest_variant.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { BINDINGS } from "../support/simulated_limits.ts";

const note = `seed ${testSeed}`;

/** Runs `work` while WebGPU answers as `requestAdapter` says. */
async function withAdapters(requestAdapter: GPU["requestAdapter"], work: () => Promise<unknown>) {
  const original = navigator.gpu.requestAdapter;
  navigator.gpu.requestAdapter = requestAdapter;
  try {
    await work();
  } finally {
    navigator.gpu.requestAdapter = original;
  }
}

function fakeAdapter(description: string): Promise<GPUAdapter> {
  const info = { description, device: "", vendor: "", architecture: "", isFallbackAdapter: false };
  return Promise.resolve({ info, features: new Set(), limits: {} } as unknown as GPUAdapter);
}

async function withGpu(work: (gpu: Gpu) => Promise<void>, options = {}) {
  const gpu = await openGpu(options);
  try {
    await work(gpu);
  } finally {
    closeGpu(gpu);
  }
}

Deno.test("writeBuffer() does not overtake kernels recorded before it", async () => {
  await withGpu(async (gpu) => {
    const [x, y] = ["x", "y"].map((label) => allocate(gpu, 4, label));
    writeBuffer(gpu, x, Float32Array.of(1));
    const code = `@group(0) @binding(0) var<storage, read> x: array<f32>;
      @group(0) @binding(1) var<storage, read_write> y: array<f32>;
      struct Params { unused: u32 }
      @group(0) @binding(2) var<uniform> params: Params;
      @compute @workgroup_size(1) fn main() { y[0] = x[0] + f32(params.unused); }`;
    dispatch(gpu, { label: "copy", code }, {
      buffers: [x, y],
      params: { unused: 0 },
      workgroups: [1],
      sizes: "1",
    });
    writeBuffer(gpu, x, Float32Array.of(2));
    assertEquals(
      new Float32Array((await readBuffers(gpu, [{ buffer: y, bytes: 4 }]))[0]),
      Float32Array.of(1),
    );
  });
});

Deno.test("openGpu() takes no textures on the software adapter where WGSL cannot read them", async () => {
  Object.defineProperty(navigator.gpu, "wgslLanguageFeatures", { value: new Set(), configurable: true });
  try {
    await withGpu(async (gpu) => {
      assertEquals(gpu.variant, "registers");
      assert(await fastestVariant(gpu) !== "textures");
      const { storage } = await normalizedCut(gpu, randomMatrix(2003, 3), { components: 2, tolerance: 1e-4 });
      assertEquals(storage, "stored");
    }, { adapter: "software" });
  } finally {
    // deno-lint-ignore no-explicit-any
    delete (navigator.gpu as any).wgslLanguageFeatures;
  }
  await withGpu((gpu) => Promise.resolve(assertEquals(gpu.variant, "textures")), { adapter: "software" });
});

Deno.test("openGpu() raises every limit to what the adapter offers", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  await withGpu((gpu) => {
    for (
      const name of [
        "maxBufferSize",
        "maxStorageBufferBindingSize",
        "maxComputeWorkgroupsPerDimension",
      ] as const
    ) {
      assertEquals(gpu.device.limits[name], adapter.limits[name], name);
    }
    assert(gpu.limits.bindingBytes <= adapter.limits.maxStorageBufferBindingSize);
    assert(gpu.adapter.description.length > 0);
    return Promise.resolve();
  }, { bindingBytes: 1e15 });
});

Deno.test("openGpu() opens the kind of adapter asked for, or says which there is", async () => {
  for (const adapter of ["hardware", "software"] as const) {
    try {
      await withGpu((gpu) => Promise.resolve(assertEquals(gpu.adapter.software, adapter === "software")), {
        adapter,
      });
    } catch (error) {
      const message = new RegExp(
        `^No ${adapter} adapter: WebGPU offers only ".+"; leave out --adapter ${adapter}`,
      );
      assert(message.test((error as Error).message), `${error}`);
    }
  }
});

Deno.test("openGpu() says what to do where there is no adapter of the kind, none at all, or no WebGPU", async () => {
  await withAdapters(() => fakeAdapter("llvmpipe (LLVM 15.0.6, 256 bits)"), () =>
    assertRejects(
      () => openGpu({ adapter: "hardware" }),
      Error,
      'No hardware adapter: WebGPU offers only "llvmpipe (LLVM 15.0.6, 256 bits)"; leave out --adapter hardware',
    ));
  await withAdapters(() => fakeAdapter("NVIDIA H100"), () =>
    assertRejects(
      () => openGpu({ adapter: "software" }),
      Error,
      'No software adapter: WebGPU offers only "NVIDIA H100"; leave out --adapter software',
    ));
  await withAdapters(() => Promise.resolve(null), () =>
    assertRejects(
      () => openGpu(),
      Error,
      "No WebGPU adapter was found: install a Vulkan driver (Debian/Ubuntu: apt-get install mesa-vulkan-drivers",
    ));
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "navigator")!;
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true, writable: true });
  try {
    await assertRejects(
      () => openGpu(),
      Error,
      "This runtime has no WebGPU: run it with Deno 2.9 or a browser",
    );
  } finally {
    Object.defineProperty(globalThis, "navigator", descriptor);
  }
});

Deno.test("openGpu() refuses a binding too small to work with", async () => {
  for (const bindingBytes of [0, 4095, NaN]) {
    await assertRejects(
      () => openGpu({ bindingBytes }),
      RangeError,
      `bindingBytes is ${bindingBytes}: a storage binding needs at least 4096 bytes.`,
    );
  }
});

Deno.test("openGpu() with four adapters' limits gives the same bits for normalizedCut()", async () => {
  const x = randomMatrix(257, 37);
  let expected: Float32Array | undefined;
  for (const bindingBytes of BINDINGS) {
    await withGpu(async (gpu) => {
      const { eigenvectors } = await normalizedCut(gpu, x, { components: 5 });
      expected ??= eigenvectors.data;
      assertSameBits(eigenvectors.data, expected, `bindings of ${bindingBytes} bytes, ${note}`);
    }, { bindingBytes });
  }
});

Deno.test("a lost device is reported by the next call", async () => {
  const gpu = await openGpu();
  const x = randomMatrix(5, 5);
  await matmul(gpu, x, x);
  gpu.device.destroy();
  for (let call = 0; call < 2; call++) {
    await assertRejects(
      () => matmul(gpu, x, x),
      Error,
      "The GPU device was lost (destroyed",
      `call ${call + 1} after the loss`,
    );
  }
});

Deno.test("a device that is lost at work is reported with the kernels it ran, and their sizes", async () => {
  const gpu = await openGpu(), buffer = allocate(gpu, 256, "data");
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @group(0) @binding(1) var<uniform> n: vec4u;
    @compute @workgroup_size(1) fn main() { x[0] = f32(n.x); }`;
  dispatch(gpu, { label: "one_number", code }, { buffers: [buffer], workgroups: [1], sizes: "64 values" });
  flush(gpu);
  gpu.device.destroy();
  await assertRejects(
    () => sync(gpu),
    Error,
    "while running one_number (64 values): open a new one",
  );
});

Deno.test("closeGpu() may be called twice, and says so to whoever calls on", async () => {
  const gpu = await openGpu();
  const x = randomMatrix(3, 3);
  await rowNormalize(gpu, x);
  closeGpu(gpu);
  closeGpu(gpu);
  await assertRejects(() => rowNormalize(gpu, x), Error, "This GPU was closed: open another with openGpu().");
});

Deno.test("`using` closes the GPU at the end of its block, however that ends", async () => {
  const x = randomMatrix(3, 3);
  let kept: Gpu;
  {
    using gpu = await openGpu();
    await rowNormalize(gpu, x);
    kept = gpu;
  }
  await assertRejects(
    () => rowNormalize(kept, x),
    Error,
    "This GPU was closed: open another with openGpu().",
  );
});

Deno.test("allocate() names what does not fit one buffer", async () => {
  await withGpu((gpu) => {
    const bytes = gpu.limits.bufferBytes + 1;
    assertThrows(
      () => allocate(gpu, bytes, "affinity"),
      RangeError,
      `affinity needs ${bytes} bytes in one buffer, the adapter allows ${gpu.limits.bufferBytes}.`,
    );
    return Promise.resolve();
  });
});

Deno.test("allocateMatrix() names the matrix whose rows do not fit a binding", async () => {
  await withGpu((gpu) => {
    assertThrows(
      () => allocateMatrix(gpu, 9, 1025, "features"),
      RangeError,
      "features: a row of 1028 values does not fit one storage binding of 16384 bytes four times.",
    );
    return Promise.resolve();
  }, { bindingBytes: 16384 });
});

Deno.test("guarded() names the allocation that the device refuses", async () => {
  await withGpu(async (gpu) => {
    const size = 2 * gpu.device.limits.maxBufferSize;
    guarded(gpu, () => "Allocating affinity (4.0 GiB)", () => gpu.device.createBuffer({ size, usage: 0x80 }));
    await assertRejects(() => sync(gpu), Error, "Allocating affinity (4.0 GiB): ");
  });
});

Deno.test("a kernel that does not compile is named", async () => {
  await withGpu(async (gpu) => {
    const buffer = allocate(gpu, 256, "data");
    const broken = {
      label: "broken_kernel",
      code: "@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }",
    };
    const run = async () => {
      dispatch(gpu, broken, { buffers: [buffer], workgroups: [1], sizes: "64 values" });
      await sync(gpu);
    };
    const message = 'Compiling the kernel "broken_kernel" (64 values): ';
    await assertRejects(run, Error, message);
    await assertRejects(run, Error, message, "and the failure stays");
  });
});

Deno.test("a kernel with the wrong bindings is named with its sizes", async () => {
  await withGpu(async (gpu) => {
    const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
      @group(0) @binding(1) var<uniform> n: u32;
      @compute @workgroup_size(1) fn main() { x[0] = f32(n); }`;
    const buffer = allocate(gpu, 256, "data");
    dispatch(gpu, { label: "one_input", code }, {
      buffers: [buffer, buffer],
      workgroups: [1],
      sizes: "64 values",
    });
    await assertRejects(() => sync(gpu), Error, 'The kernel "one_input" (64 values): ');
  });
});

Deno.test("dispatch() names the kernel whose grid is too large", async () => {
  await withGpu((gpu) => {
    const most = gpu.limits.workgroups;
    assertThrows(
      () =>
        dispatch(gpu, { label: "wide", code: "" }, {
          buffers: [],
          workgroups: [1, most + 1],
          sizes: "1 × 9",
        }),
      RangeError,
      `The kernel "wide" (1 × 9) needs 1 × ${most + 1} × 1 workgroups, the adapter allows ${most}.`,
    );
    return Promise.resolve();
  });
});

Deno.test("buffers are reused, counted and given back", async () => {
  await withGpu(async (gpu) => {
    const first = allocate(gpu, 1000, "first");
    writeBuffer(gpu, first, new Float32Array(250).fill(3));
    release(gpu, first);
    assert(allocate(gpu, 900, "second") === first);
    assertEquals([gpu.memory.inUse, gpu.memory.held, gpu.memory.peak], [1024, 1024, 1024]);
    release(gpu, first);
    trim(gpu);
    assertEquals([gpu.memory.inUse, gpu.memory.held, gpu.memory.peak], [0, 0, 1024]);
    await sync(gpu);
  });
});

Deno.test("a buffer released twice is handed out once, and the peak is that of all buffers together", async () => {
  await withGpu(async (gpu) => {
    const [, two] = ["one", "two"].map((label) => allocate(gpu, 1000, label));
    release(gpu, two);
    release(gpu, two);
    assertEquals([gpu.memory.inUse, gpu.memory.peak], [1024, 2048]);
    const [again, other] = ["again", "other"].map((label) => allocate(gpu, 1000, label));
    assert(again === two && other !== two);
    for (const buffer of [again, other]) release(gpu, buffer);
    allocate(gpu, 1000, "after the peak");
    assertEquals([gpu.memory.inUse, gpu.memory.peak], [2048, 3072]);
    await sync(gpu);
  });
});

Deno.test("released buffers serve requests of a little less, and are counted by their size", async () => {
  await withGpu(async (gpu) => {
    for (const bytes of [65_537, 700_001, 2_560_001, 3 * 2 ** 20, 8 * 2 ** 20, 9_000_001]) {
      const first = allocate(gpu, bytes, "first");
      assert(first.size >= bytes && first.size <= Math.max(bytes * 1.13, bytes + 65536), `${first.size}`);
      release(gpu, first);
      assertEquals([gpu.memory.inUse, gpu.memory.held], [0, first.size]);
      assert(allocate(gpu, first.size, "second") === first);
      release(gpu, first);
      trim(gpu);
    }
    const wide = allocate(gpu, 20_000 * 32 * 4, "32 columns");
    release(gpu, wide);
    assert(allocate(gpu, 20_000 * 30 * 4, "30 columns") === wide);
    await sync(gpu);
  });
});

Deno.test("readBuffers() holds nothing of what was read before", async () => {
  await withGpu(async (gpu) => {
    const bytes = 2 ** 22, buffer = allocate(gpu, bytes, "values");
    await readBuffers(gpu, [{ buffer, bytes }]);
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < 200; i++) await readBuffers(gpu, [{ buffer, bytes }]);
    const grown = (Deno.memoryUsage().rss - before) / bytes;
    assert(grown < 60, `200 reads hold ${grown.toFixed(0)} times the bytes of one`);
    release(gpu, buffer);
  });
});

Deno.test("timers have their turn between read-backs that follow one another at once", async () => {
  await withGpu(async (gpu) => {
    const buffer = allocate(gpu, 256, "values"), begun = performance.now();
    let fired = Infinity;
    setTimeout(() => fired = performance.now() - begun, 1);
    while (performance.now() - begun < 1500) await readBuffers(gpu, [{ buffer, bytes: 256 }]);
    assert(fired < 1400, `fired after ${fired} ms`);
    release(gpu, buffer);
  });
});
