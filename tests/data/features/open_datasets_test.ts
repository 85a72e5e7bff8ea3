import { assertEquals } from "@std/assert";
import { slotFolder } from "../../../src/data/features/node_dataset.ts";
import { makeDataset } from "../../../src/pipeline/node_batches.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { pythonWith, runPython } from "../../support/python.ts";

const SCRIPT = new URL("./open_datasets.py", import.meta.url).pathname;
const PYTHON = pythonWith("import pandas, polars, duckdb, pyarrow.dataset");
const NAME =
  "pandas, Polars and DuckDB open each dataset of all nodes as one table, partitioned by model and layer";

Deno.test({
  // One word on what is missing, where it is.
  name: PYTHON ? NAME : `${NAME} (skipped: ALIGNEDCUT_PYTHON has not all of pandas, polars, duckdb, pyarrow)`,
  ignore: !PYTHON,
  fn: () =>
    inTemporaryFolder(async (dir) => {
      const images = 130, tokens = 3, rows = images * tokens;
      const slots = ["a model", "b"].flatMap((model, m) =>
        [2, 10].map((layer, l) => ({ model, layer, first: (2 * m + l) * rows, rows, tokens }))
      );
      const vector = (node: number) => node / 4;
      await makeDataset(dir, "eigenvectors", slots, ({ firstNode, rows }) =>
        Promise.resolve({
          vector: {
            vectors: Float32Array.from(
              { length: 2 * rows },
              (_, at) => vector(firstNode + (at >> 1)) + at % 2,
            ),
            cols: 2,
          },
        }), () => {});
      await makeDataset(dir, "colors", slots, ({ firstNode, rows }) =>
        Promise.resolve({
          nearest: Int32Array.from({ length: rows }, (_, at) => (firstNode + at) % 5),
          red: Uint8Array.from({ length: rows }, (_, at) => (firstNode + at) % 256),
        }), () => {});

      const sum = (values: number[]) => values.reduce((sum, own) => sum + own, 0);
      const nodes = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
      const near = nodes(0, 4 * rows).filter((node) => node % 5 === 3);
      const expected = [
        slots.map(({ model, layer, first }) => [
          slotFolder({ model, layer }).split("/")[0].replace("model=", "").replace("%20", " "),
          layer,
          rows,
          tokens * sum(nodes(0, images)),
          sum(nodes(first, rows).map(vector)),
        ]),
        [near.length, sum(near.map((node) => node % 256))],
      ];
      const found = JSON.parse(await runPython(PYTHON!, SCRIPT, dir, dir));
      assertEquals(found, { pandas: expected, polars: expected, duckdb: expected });
    }),
});
