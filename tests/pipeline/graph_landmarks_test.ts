import { assert, assertEquals } from "@std/assert";
import { candidateBlocks } from "../../src/pipeline/graph_landmarks.ts";

Deno.test("candidateBlocks() covers all nodes in blocks of 64 candidates or more, 2048 blocks at most", () => {
  for (const nodes of [1, 16_384, 16_385, 709_200, 7_092_000_000, 70_920_000_000]) {
    for (const landmarks of [1, 300, 50_000]) {
      if (landmarks > nodes) continue;
      const blocks = candidateBlocks(nodes, landmarks), sizes = blocks.map(({ rows }) => rows);
      blocks.forEach(({ first }, at) => assertEquals(first, at * sizes[0]));
      assertEquals(sizes.reduce((sum, rows) => sum + rows, 0), nodes);
      const few = 4 * landmarks * sizes[0] / nodes < 64;
      assert(!few || blocks.length === 1 || sizes[0] >= 2 ** 22, `${nodes} nodes, ${landmarks} landmarks`);
      assert(sizes[0] <= 2 ** 22 || nodes > 2 ** 33, `${sizes[0]} rows`);
      assert(blocks.length <= 2048, `${blocks.length} blocks`);
    }
  }
});
