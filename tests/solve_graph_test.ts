import { assertEquals } from "@std/assert";
import { nodeRange } from "../src/experiments/solve_graph.ts";
import { PANEL_ROWS } from "../src/graph/node_source.ts";

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
