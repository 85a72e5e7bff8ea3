import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readEmbedding } from "../../../src/data/formats/read_embedding.ts";
import { nodeTable } from "../../../src/data/formats/results_table.ts";
import { type TableColumns, writeTable } from "../../../src/data/formats/table_file.ts";
import { writeNpy } from "../../../src/data/formats/npy.ts";
import golden from "../../golden/csv_values.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { pythonWith, runPython } from "../../support/python.ts";
import { testSeed } from "../../support/random.ts";

const random = seededRandom(testSeed);

const PYTHON = pythonWith("import pyarrow, pandas"), WITH_DUCKDB = pythonWith("import pyarrow, duckdb");

/** Two slots of three images with a class token and 2 × 3 patches. */
function results() {
  const rows = 2 * 3 * 7;
  return {
    images: ["a, b.jpg", 'c "d".jpg', "é🧠.png"],
    slots: [{ model: "clip", layer: 1 }, { model: "mae", layer: 12 }],
    grid: { rows: 2, cols: 3 },
    hasClassToken: true,
    eigenvectors: { data: Float32Array.from({ length: rows * 2 }, () => random() - 0.5), rows, cols: 2 },
    colors: Uint8Array.from({ length: rows * 3 }, (_, i) => i * 37),
    segments: Uint32Array.from({ length: rows }, (_, i) => i * 1e8),
  };
}

Deno.test("nodeTable() says of every node where it is from", () => {
  const [first, second] = [...nodeTable(results())];
  assertEquals(
    Object.keys(first).join(),
    "image,model,layer,row,col,eigenvector_1,eigenvector_2,red,green,blue,segment",
  );
  assertEquals([...first.row].slice(0, 8), [-1, 0, 0, 0, 1, 1, 1, -1]);
  assertEquals([...first.col].slice(0, 8), [-1, 0, 1, 2, 0, 1, 2, -1]);
  assertEquals([first.image[6], first.image[7], second.model[0], second.layer[20]], [
    "a, b.jpg",
    'c "d".jpg',
    "mae",
    12,
  ]);
  assertEquals(second.segment[0], 21 * 1e8);
  const patches = { images: ["a.jpg"], slots: results().slots, grid: { rows: 2, cols: 3 } };
  const [{ row, col }] = nodeTable({ ...patches, hasClassToken: false });
  assertEquals([[...row], [...col]], [[0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]]);
  assertThrows(
    () => [...nodeTable({ ...results(), segments: new Uint32Array(5) })],
    RangeError,
    "segments has 5 rows, but 2 slots × 3 images × 7 tokens are 42 nodes.",
  );
});

Deno.test({
  name: "writeTable() writes Arrow and CSV that pandas reads with the same values",
  ignore: PYTHON === undefined,
  async fn() {
    await inTemporaryFolder(async (dir) => {
      const nodes = results();
      for (const ending of ["arrow", "csv"]) await writeTable(`${dir}/nodes.${ending}`, nodeTable(nodes));
      const script = `
import sys, json, pyarrow as pa, pandas as pd
with pa.memory_map(sys.argv[1]) as f: arrow = pa.ipc.open_file(f).read_all()
csv = pd.read_csv(sys.argv[2], dtype={"eigenvector_1": "float32", "eigenvector_2": "float32"}, float_precision="round_trip")
a = arrow.to_pandas()
assert (a.values == csv.values).all(), "Arrow and CSV differ"
print(json.dumps({"types": [str(f.type) for f in arrow.schema], "columns": {k: a[k].tolist() for k in a}}))`;
      const read = JSON.parse(
        await runPython(PYTHON!, "-c", script, `${dir}/nodes.arrow`, `${dir}/nodes.csv`),
      );
      const parts = [...nodeTable(nodes)];
      for (const name of Object.keys(parts[0])) {
        assertEquals(read.columns[name], parts.flatMap((part) => [...part[name] as Iterable<unknown>]), name);
      }
      assertEquals(read.types, [
        "string",
        "string",
        "int16",
        "int16",
        "int16",
        "float",
        "float",
        "uint8",
        "uint8",
        "uint8",
        "uint32",
      ]);
    });
  },
});

Deno.test({
  name: "writeTable() writes tables that DuckDB reads: CSV by itself, Arrow through pyarrow",
  ignore: WITH_DUCKDB === undefined,
  async fn() {
    await inTemporaryFolder(async (dir) => {
      for (const ending of ["arrow", "csv"]) await writeTable(`${dir}/nodes.${ending}`, nodeTable(results()));
      const script = `
import sys, duckdb, pyarrow.feather
nodes = pyarrow.feather.read_table(sys.argv[1])
ask = "select model, count(*), min(col), sum(segment), sum(red) from {} group by model order by model"
assert duckdb.sql(ask.format("nodes")).fetchall() == duckdb.sql(ask.format(repr(sys.argv[2]))).fetchall()
print(duckdb.sql(ask.format("nodes")).fetchall()[0][:3])`;
      assertEquals(
        await runPython(WITH_DUCKDB!, "-c", script, `${dir}/nodes.arrow`, `${dir}/nodes.csv`),
        "('clip', 21, -1)\n",
      );
    });
  },
});

Deno.test({
  name: "readEmbedding() reads what pandas and pyarrow write, and says how to save what it does not",
  ignore: PYTHON === undefined,
  async fn() {
    await inTemporaryFolder(async (dir) => {
      const script = `
import sys, json, numpy as np, pyarrow as pa, pandas as pd
at = sys.argv[1] + "/"
x = np.random.default_rng(${testSeed}).standard_normal((50, 3)).astype("float32")
x[:, 2] = 0.5 # a column that ZSTD makes very small
df = pd.DataFrame(x, columns=list("xyz"))
df.insert(1, "name", [f"thing, {i}" for i in range(50)])
shuffled = df.set_index(np.arange(50)[::-1])
df.to_csv(at + "index.csv")
shuffled.to_csv(at + "shuffled.csv")
df.to_csv(at + "plain.csv", index=False)
pd.DataFrame(x).to_csv(at + "unnamed.csv")
df.to_feather(at + "plain.feather", compression="uncompressed")
df.to_feather(at + "zstd.feather", compression="zstd")
df.to_feather(at + "lz4.feather", compression="lz4")
vectors = {"lists": pa.list_(pa.float64()), "large": pa.large_list(pa.float32()), "fixed": pa.list_(pa.float32(), 3), "half": pa.list_(pa.float16())}
tables = {name: pa.table({"name": df["name"], "v": pa.array(list(x.astype("float16" if name == "half" else "float32")), kind)}) for name, kind in vectors.items()}
tables["shuffled"] = pa.Table.from_pandas(shuffled)
for name, table in tables.items():
    for codec in [None, "zstd"]:
        options = pa.ipc.IpcWriteOptions(compression=codec)
        with pa.ipc.new_file(f"{at}{name}-{codec}.arrow", table.schema, options=options) as file: file.write_table(table, 20)
with pa.ipc.new_stream(at + "stream.arrow", tables["lists"].schema) as stream: stream.write_table(tables["lists"])
ragged = pa.table({"v": [[1.0, 2.0], [3.0]]})
with pa.ipc.new_file(at + "ragged.arrow", ragged.schema) as file: file.write_table(ragged)
print(json.dumps(x.ravel().tolist()))`;
      const data = Float32Array.from(JSON.parse(await runPython(PYTHON!, "-c", script, dir)) as number[]);
      const names = Array.from({ length: 50 }, (_, i) => `thing, ${i}`), matrix = { data, rows: 50, cols: 3 };
      const half = { ...matrix, data: Float32Array.from(Float16Array.from(data)) };
      const arrows = [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) => /-/.test(name));
      assertEquals(arrows.length, 10);
      for (
        const file of ["index.csv", "shuffled.csv", "plain.csv", "plain.feather", "zstd.feather", ...arrows]
      ) {
        const expected = { matrix: file.startsWith("half") ? half : matrix, names };
        assertEquals(await readEmbedding(`${dir}/${file}`), expected, file);
      }
      assertEquals(await readEmbedding(`${dir}/unnamed.csv`), { matrix });
      for (const file of ["lz4.feather", "stream.arrow"]) {
        assertEquals(await readEmbedding(`${dir}/${file}`), { matrix, names }, file);
      }
      await assertRejects(
        () => readEmbedding(`${dir}/ragged.arrow`),
        Error,
        'row 1 has 1 values in "v", row 0 2: they must be equal.',
      );
    });
  },
});

Deno.test("writeTable() writes −0, infinities and whole numbers to CSV so that pandas, polars and pyarrow read them", async () => {
  await inTemporaryFolder(async (dir) => {
    const table: TableColumns = {
      name: ["a", "b, c", 'd "e"', "ä", "f"],
      float32: Float32Array.of(-0, Infinity, NaN, 0.1, 2 ** 24),
      float64: [-0, -Infinity, NaN, 0.1, 5e-324],
      whole: Float64Array.of(1, -0, 2, 1e20, 1e21),
      int32: Int32Array.of(-1, 0, 1, 2 ** 31 - 1, -(2 ** 31)),
    };
    await writeTable(`${dir}/a.csv`, [table]);
    assertEquals(await Deno.readTextFile(`${dir}/a.csv`), golden.text);
    const number = (word: string) =>
      word.endsWith("inf") ? Number(word.replace("inf", "Infinity")) : Number(word);
    for (const [tool, columns] of Object.entries(golden.found)) {
      assertEquals(columns.name, table.name, tool);
      for (const name of ["float32", "float64", "whole", "int32"] as const) {
        const own = table[name], read = columns[name].map(number);
        const rounded = own instanceof Float32Array ? read.map(Math.fround) : read;
        assert(
          rounded.every((value, i) => Object.is(value, own[i])),
          `${tool} reads ${name} as ${columns[name]}`,
        );
      }
    }
    await writeTable(`${dir}/one.csv`, [{ name: ["a", "", "b"] }]);
    assertEquals(await Deno.readTextFile(`${dir}/one.csv`), 'name\na\n""\nb\n');
  });
});

Deno.test("writeTable() refuses another format and columns that do not fit, and leaves no file", async () => {
  await inTemporaryFolder(async (dir) => {
    const refused = (name: string, parts: TableColumns[], message: string) =>
      assertRejects(() => writeTable(`${dir}/${name}`, parts), Error, message);
    const x = new Float32Array(3);
    await refused("a.txt", [{ x }], "ends neither in .arrow nor in .csv");
    for (const name of ["a.csv", "a.arrow"]) {
      await refused(
        name,
        [{ image: ["a"], x }],
        'The column "x" has 3 values, "image" 1: they must be equal.',
      );
      await refused(name, [{ x }, { x: new Int32Array(3) }], "A later part of the table has the columns");
      const mixed = [1, "b"] as unknown as string[];
      await refused(
        name,
        [{ mixed }],
        'The column "mixed" holds number and string: give text only or numbers only.',
      );
      await refused(name, [], "A table needs at least one part, found none.");
      await refused(name, [{}], "A table needs at least one column, found none.");
    }
    await refused(
      "none/a.csv",
      [{ x }],
      `Cannot write the table ${dir}/none/a.csv: No such file or directory`,
    );
    assertEquals([...Deno.readDirSync(dir)], []);
  });
});

Deno.test("readEmbedding() reads the same matrix from .npy, .csv and .arrow", async () => {
  await inTemporaryFolder(async (dir) => {
    const rows = 7, cols = 3, data = Float32Array.from({ length: rows * cols }, () => random() - 0.5);
    const names = Array.from({ length: rows }, (_, i) => `thing, ${i}`);
    const column = (c: number) => Float32Array.from({ length: rows }, (_, i) => data[i * cols + c]);
    const table = { name: names, x: column(0), y: column(1), z: column(2) };
    await writeTable(`${dir}/a.csv`, [table]);
    await writeTable(`${dir}/a.arrow`, [table]);
    await writeNpy(`${dir}/a.npy`, data, [rows, cols]);
    const matrix = { data, rows, cols };
    assertEquals(await readEmbedding(`${dir}/a.csv`), { matrix, names });
    assertEquals(await readEmbedding(`${dir}/a.arrow`), { matrix, names });
    assertEquals(await readEmbedding(`${dir}/a.npy`), { matrix });
    await writeTable(`${dir}/lists.arrow`, [{ x: [1, 3], y: [2, 4] }]);
    assertEquals((await readEmbedding(`${dir}/lists.arrow`)).matrix.data, new Float32Array([1, 2, 3, 4]));
    await Deno.writeTextFile(`${dir}/plain.csv`, "1,2\n3,4\n");
    const plain = await readEmbedding(`${dir}/plain.csv`);
    assertEquals(plain.matrix, { data: new Float32Array([1, 2, 3, 4]), rows: 2, cols: 2 });
    assert(plain.names === undefined);
    await Deno.writeTextFile(`${dir}/index.csv`, ",0,1\n0,5,6\n1,7,8\n");
    assertEquals((await readEmbedding(`${dir}/index.csv`)).matrix.data, new Float32Array([5, 6, 7, 8]));
  });
});

Deno.test("readEmbedding() tells what is wrong with a file, and where", async () => {
  await inTemporaryFolder(async (dir) => {
    const refused = async (name: string, content: string, message: string) => {
      await Deno.writeTextFile(`${dir}/${name}`, content);
      await assertRejects(() => readEmbedding(`${dir}/${name}`), Error, message);
    };
    await refused(
      "a.csv",
      "name,x\na,1\nb,\n",
      `a.csv, line 3: column "x" is "", expected a finite float32.`,
    );
    await refused("a.csv", "name,x\na,1\nb\n", "a.csv, line 3 has 1 cells, the first 2.");
    await refused("a.csv", "name,x\n", "a.csv has no numbers: expected one thing a line.");
    await refused("a.csv", "name\na\nb\n", "a.csv has no column of numbers.");
    await refused("a.xlsx", "", "a.xlsx ends in none of .npy, .csv, .tsv,");
    await refused("a.arrow", "nonsense", "a.arrow is not an Arrow IPC file");
    await refused(
      "a.csv",
      "x,y\n1,2\n1e39,1\n",
      `a.csv, line 3: column "x" is "1e39", expected a finite float32.`,
    );
    await refused("a.csv", "x,y\nNaN,2\n", `a.csv, line 2: column "x" is "NaN", expected a finite float32.`);
    await writeTable(`${dir}/b.arrow`, [{ x: [1, 2], y: [1, 1e300] }]);
    await assertRejects(
      () => readEmbedding(`${dir}/b.arrow`),
      Error,
      `b.arrow, row 1: column "y" is 1e+300, expected a finite float32.`,
    );
    await writeNpy(`${dir}/b.npy`, Float32Array.of(1, 2, 3, 4, 5, NaN), [2, 3]);
    await assertRejects(
      () => readEmbedding(`${dir}/b.npy`),
      Error,
      "b.npy, row 1: column 2 is NaN, expected a finite float32.",
    );
    await writeNpy(`${dir}/a.npy`, new Float32Array(5), [5]);
    await assertRejects(
      () => readEmbedding(`${dir}/a.npy`),
      Error,
      "has shape (5), expected things × dimensions.",
    );
  });
});

Deno.test("writeTable() writes typed arrays of every kind of number, and refuses others by name", async () => {
  const columns: TableColumns = {
    half: Float16Array.of(0.1, -2, 300),
    int8: Int8Array.of(-1, 2, 100),
    uint16: Uint16Array.of(1, 2, 60000),
    int64: BigInt64Array.of(-1n, 2n, 300n),
    uint64: BigUint64Array.of(1n, 2n, 300n),
  };
  const expected = [0.0999755859375, -1, 1, -1, 1, -2, 2, 2, 2, 2, 300, 100, 60000, 300, 300];
  await inTemporaryFolder(async (dir) => {
    for (const format of ["arrow", "csv"]) {
      await writeTable(`${dir}/a.${format}`, [columns]);
      const { matrix } = await readEmbedding(`${dir}/a.${format}`);
      assertEquals(
        Float16Array.from(matrix.data.filter((_, at) => at % 5 === 0)),
        columns.half as Float16Array,
      );
      assertEquals(
        matrix.data.filter((_, at) => at % 5),
        Float32Array.from(expected).filter((_, at) => at % 5),
      );
    }
    assertEquals(
      await Deno.readTextFile(`${dir}/a.csv`),
      "half,int8,uint16,int64,uint64\n0.099976,-1,1,-1,1\n-2.0,2,2,2,2\n300.0,100,60000,300,300\n",
    );
    await assertRejects(
      () => writeTable(`${dir}/b.arrow`, [{ x: new Uint8ClampedArray(3) as unknown as Uint8Array }]),
      TypeError,
      'The column "x" is of type Uint8ClampedArray: give a list, or a typed array of numbers.',
    );
  });
});
