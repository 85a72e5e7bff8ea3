import { assert } from "@std/assert";
import { tilesOf } from "../../src/graph/affinity_operator.ts";
import { roundUp } from "../../src/linalg/matrix.ts";

Deno.test("tilesOf() covers all on and above the diagonal once, in tiles that fit", () => {
  for (
    const [n, most] of [[1, 4096], [7, 4096], [301, 4096], [1021, 2 ** 16], [4099, 2 ** 20], [9001, 2 ** 25]]
  ) {
    const covered = new Uint8Array(n * n);
    for (const { row, rows, col, cols, bytes } of tilesOf(n, most)) {
      assert(bytes <= most && bytes === 4 * rows * roundUp(cols, 4), `${n} nodes, ${rows} × ${cols}`);
      assert(col === row ? rows === cols : col >= row + rows);
      for (let i = row; i < row + rows; i++) for (let j = col; j < col + cols; j++) covered[i * n + j]++;
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (covered[i * n + j] + (i === j ? 0 : covered[j * n + i]) === 0) {
          throw new Error(`${n}: ${i}, ${j}`);
        }
        if (covered[i * n + j] > 1) throw new Error(`${n}: ${i}, ${j} twice`);
      }
    }
  }
});
