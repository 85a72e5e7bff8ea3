import { assertEquals, assertRejects } from "@std/assert";
import {
  closeGpu,
  fitNystrom,
  type Gpu,
  type Matrix,
  matrixSource,
  nearestNeighbors,
  normalizedCut,
  openGpu,
} from "../../mod.ts";
import { nystromModel } from "../../src/graph/nystrom.ts";
import { halvings, OutOfMemory, retryOnOutOfMemory, trim } from "../../src/gpu/mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { withMemory } from "../support/simulated_limits.ts";

const note = `seed ${testSeed}`;

async function withGpu(work: (gpu: Gpu) => Promise<void>): Promise<void> {
  const gpu = await openGpu();
  try {
    await work(gpu);
    assertEquals(gpu.memory.inUse, 0, "GPU buffers that were not given back");
  } finally {
    closeGpu(gpu);
  }
}

Deno.test("halvings() goes down to 64 rows", () => {
  assertEquals(halvings(300), [300, 150, 75, 38]);
  assertEquals(halvings(7), [7]);
});

Deno.test("retryOnOutOfMemory() throws other errors at once, and OutOfMemory after the last size", async () => {
  await withGpu(async (gpu) => {
    const tried: number[] = [];
    const failWith = (error: Error) => (size: number) => (tried.push(size), Promise.reject(error));
    await assertRejects(
      () => retryOnOutOfMemory(gpu, [3, 2, 1], failWith(new RangeError("rows"))),
      RangeError,
    );
    assertEquals(tried.splice(0), [3]);
    await assertRejects(
      () => retryOnOutOfMemory(gpu, [3, 2, 1], failWith(new OutOfMemory("full"))),
      OutOfMemory,
    );
    assertEquals(tried, [3, 2, 1]);
  });
});

Deno.test("nearestNeighbors() takes smaller panels where the device has no memory, and finds the same", async () => {
  await withGpu(async (gpu) => {
    const x = randomMatrix(5003, 6), base = randomMatrix(401, 6, 1), k = 40;
    const all = await nearestNeighbors(gpu, x, base, { k });
    trim(gpu);
    const small = withMemory(gpu, 2 ** 18); // lists of 4,096 rows take 640 KiB, x 160
    assertEquals(await nearestNeighbors(small, x, base, { k }), all, note);
    await assertRejects(
      () => nearestNeighbors(withMemory(gpu, 2 ** 12), x, base, { k }),
      Error,
      "Allocating",
    );
  });
});

/** Every way of extending eigenvectors to nodes, with less memory than its panels want. */
const CARRIES = [
  {
    title: "the nearest, exactly",
    landmarks: 300,
    options: { neighbors: 8, search: "exact" },
    bytes: 2 ** 18,
  },
  { title: "the nearest, by an inverted file", landmarks: 1100, options: { neighbors: 8 }, bytes: 2 ** 19 },
  { title: "all", landmarks: 200, options: { neighbors: "all" }, bytes: 2 ** 18 },
] as const;

for (const { title, landmarks, options, bytes } of CARRIES) {
  Deno.test(`fitNystrom() extended from ${title}: smaller panels, the same vectors`, async () => {
    await withGpu(async (gpu) => {
      const x: Matrix = clusteredNodes(9001, 24, 12, 0.3, testSeed);
      const settings = { landmarks, components: 4, sampling: "uniform" as const, ...options };
      const model = await fitNystrom(gpu, matrixSource(x), settings);
      const all = await model.transform(matrixSource(x));
      const small = withMemory(gpu, bytes);
      trim(gpu);
      const { data } = await nystromModel(small, model).transform(matrixSource(x));
      assertEquals(data, all.data, note);
      if (options.neighbors !== "all") return;
      // Sums over the nodes have other last bits in panels of other sizes.
      trim(gpu);
      const { cut } = await fitNystrom(small, matrixSource(x), settings);
      assertClose(cut.eigenvalues, model.cut.eigenvalues, { relative: 1e-4, note });
    });
  });
}

Deno.test("normalizedCut() takes smaller tiles where the device has no memory for tiles", async () => {
  await withGpu(async (gpu) => {
    const x = clusteredNodes(3001, 16, 5, 0.3, testSeed), options = { components: 4 };
    const all = await normalizedCut(gpu, x, options);
    trim(gpu);
    const cut = await normalizedCut(withMemory(gpu, 2 ** 22), x, options);
    assertEquals(cut.storage, "tiled");
    assertClose(cut.eigenvalues, all.eigenvalues, { relative: 1e-4, note });
  });
});
