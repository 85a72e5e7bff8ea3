#!/bin/sh
# apache-arrow 21.2.0: toArray() of a float16 column gives the bits of its numbers, though its elements and JSON are the numbers.
#
# Guess: toArray() has the values that get(i) has, as for float32 and float64 columns, of the column and of a row of a fixed-size
#        list.
# Seen: 1, 0.5, −2 of pyarrow 26.0.1 come from get(), iteration and toJSON() as such, and from toArray() as a Uint16Array of 15360,
#       14336, 49152; so do rows of a list of float16, as features are stored. new Float32Array(row) is right and
#       Float32Array.from(row.toArray()) is bits.
# So:   a fast path through toArray() makes plausible whole numbers of half-precision features: their norms and distances are wrong,
#       without an error. View the same buffer as Float16Array, or take elements.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input pyarrow==26.0.1 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund apache-arrow@21.2.0
py/bin/python - <<'PY'
import numpy, pyarrow, pyarrow.feather
columns = {}
for kind in ["float16", "float32"]:
    columns[kind] = pyarrow.array(numpy.array([1, 0.5, -2], kind))
    columns[f"rows of {kind}"] = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(numpy.array([1, 0.5, -2] * 3, kind)), 3)
pyarrow.feather.write_feather(pyarrow.table(columns), "features.arrow", compression="uncompressed")
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { tableFromIPC } from "apache-arrow";
const table = tableFromIPC(readFileSync("features.arrow"));
const seen = {};
for (const { name } of table.schema.fields) {
  const column = table.getChild(name), vector = name.startsWith("rows") ? column.get(1) : column;
  const array = vector.toArray();
  seen[name] = `${array.constructor.name} ${Array.from(array)}`;
  console.log(`${name}: elements ${[...vector]}; JSON ${JSON.stringify(vector)}; toArray() ${seen[name]}`);
  seen[name] += ` | ${[...vector]} | ${new Float32Array(vector)}`;
}
const numbers = "1,0.5,-2", bits = "15360,14336,49152";
const holds = ["", "rows of "].every((of) =>
  seen[`${of}float16`] === `Uint16Array ${bits} | ${numbers} | ${numbers}` &&
  seen[`${of}float32`] === `Float32Array ${numbers} | ${numbers} | ${numbers}`
);
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
