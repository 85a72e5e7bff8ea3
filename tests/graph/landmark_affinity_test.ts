import { assert, assertEquals } from "@std/assert";
import { closeGpu, fitNystrom, matrixSource, openGpu } from "../../mod.ts";
import { type KeepSums, openSums } from "../../src/graph/fowlkes.ts";
import { sumBlocks, sumInOrder } from "../../src/graph/landmark_affinity.ts";
import { gatherRows, PANEL_ROWS } from "../../src/graph/node_source.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("sumBlocks() covers all nodes in whole panels, 2048 blocks at most", () => {
  for (const nodes of [1, PANEL_ROWS, 8 * PANEL_ROWS + 1, 709_200, 7_092_000_000, 70_920_000_000]) {
    const blocks = sumBlocks(nodes);
    assert(blocks.length <= 2048, `${blocks.length} blocks`);
    let next = 0;
    for (const { first, rows } of blocks) {
      assertEquals([first, first % PANEL_ROWS], [next, 0], `${nodes} nodes`);
      next += rows;
    }
    assertEquals(next, nodes);
  }
});

Deno.test("sumInOrder() adds in float64, in the order of the blocks", async () => {
  const parts = [2 ** 60, 1, -(2 ** 60), 1], blocks = parts.map((_, first) => ({ first, rows: 1 }));
  const sum = await sumInOrder(blocks, ({ first }) => Promise.resolve(Float64Array.of(parts[first])));
  assertEquals([...sum], [1]);
});

Deno.test("a fit from the sums of two processes is that of one alone, to the last bit", async () => {
  const rows = 17 * PANEL_ROWS, cols = 6, m = 24;
  const data = Float32Array.from(
    { length: rows * cols },
    (_, at) => Math.sin(at * 0.37) + Number(at % 5 === 0),
  );
  const nodes = matrixSource({ data, rows, cols });
  const landmarks = Uint32Array.from({ length: m }, (_, at) => 2801 * at);
  const options = { landmarks, neighbors: "all", components: 5, sampling: "uniform" } as const;
  const alone = await fitNystrom(gpu, nodes, options);

  const disk = new Map<string, Float64Array>(), made: string[][] = [[], []];
  const keptBy = (process: number): KeepSums => async (name, make) => {
    if (!disk.has(name)) {
      disk.set(name, await make());
      made[process].push(name);
    }
    return disk.get(name)!;
  };
  const features = await gatherRows(nodes, landmarks);
  for (const step of ["affinities", "products"] as const) {
    for (const process of [1, 0]) {
      const sums = openSums(gpu, nodes, features, keptBy(process));
      for (const [at, block] of sums.blocks.entries()) if (at % 2 === process) await sums[step](block);
    }
  }
  assertEquals(made.map((names) => names.filter((name) => name !== "root").length), [4, 2]);
  const shared = await fitNystrom(gpu, nodes, {
    ...options,
    keepSums: (name) => Promise.resolve(disk.get(name)!), // nothing is made again
  });
  assertSameBits(shared.projection!.data, alone.projection!.data, "projection");
  assertSameBits(shared.cut.eigenvectors.data, alone.cut.eigenvectors.data, "eigenvectors");
});
