#!/bin/sh
# hyparquet-writer 0.17.0 writes a column of vectors as JSON text, one of Float32Arrays as objects with the keys "0", "1", ….
#
# Guess: a column whose cells are Float32Arrays or arrays of numbers is a list of floats, as pyarrow 26.0.1 makes of NumPy rows, or
#        refused.
# Seen: pyarrow reads cells '{"0":1.5,"1":2}' and '[1.5,2]', of type arrow.json. hyparquet 1.31.5 parses them back, so that its own
#       round trip gives arrays for arrays and plain objects, without a length, for Float32Arrays. Columns of numbers and one
#       Float32Array as a whole column are float and double, as they should be. Nothing is raised.
# So:   embeddings written so are text to pandas, DuckDB and polars. Give a schema with a list of FLOAT, or one column for each
#       number.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input pyarrow==26.0.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund hyparquet-writer@0.17.0 hyparquet@1.31.5
cat >write.mjs <<'JS'
import { writeFileSync } from "node:fs";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
const columnData = [
  { name: "typed", data: [new Float32Array([1.5, 2]), new Float32Array([3, 4])] },
  { name: "plain", data: [[1.5, 2], [3, 4]] },
  { name: "column", data: new Float32Array([1.5, 2]) },
];
const file = parquetWriteBuffer({ columnData });
writeFileSync("vectors.parquet", new Uint8Array(file));
const [first] = await parquetReadObjects({ file });
console.log("hyparquet:", first);
writeFileSync("back.json", JSON.stringify({ first, length: first.typed.length ?? null }));
JS
node write.mjs
cat >read.py <<'PY'
import json
import sys
import pyarrow.parquet

table = pyarrow.parquet.read_table("vectors.parquet")
types = {field.name: str(field.type) for field in table.schema}
first = table.slice(0, 1).to_pylist()[0]
back = json.load(open("back.json"))
print("pyarrow:", types, first)
holds = first == {"typed": '{"0":1.5,"1":2}', "plain": "[1.5,2]", "column": 1.5} and types["column"] == "float"
holds = holds and "json" in types["typed"] and "json" in types["plain"]
holds = holds and back == {"first": {"typed": {"0": 1.5, "1": 2}, "plain": [1.5, 2], "column": 1.5}, "length": None}
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python read.py
