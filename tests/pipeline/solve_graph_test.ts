import { assert, assertEquals } from "@std/assert";
import { candidateBlocks } from "../../src/pipeline/graph_landmarks.ts";
import { nodeRange } from "../../src/pipeline/solve_graph.ts";
import { PANEL_ROWS } from "../../src/graph/node_source.ts";

Deno.test("nodeRange divides all nodes, and no panel", () => {
  for (const nodes of [1, 3 * 36 * 197, PANEL_ROWS, 10 * PANEL_ROWS + 1, 709_200]) {
    for (const parts of [1, 2, 7, 24]) {
      let next = 0;
      for (let part = 0; part < parts; part++) {
        const { first, rows } = nodeRange(nodes, part, parts);
        assertEquals(first, next, `${nodes} nodes, part ${part} of ${parts}`);
        assertEquals(
          first % PANEL_ROWS === 0 || rows === 0,
          true,
          `${nodes} nodes, part ${part} of ${parts}`,
        );
        next += rows;
      }
      assertEquals(next, nodes);
    }
  }
});

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
