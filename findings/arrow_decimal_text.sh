#!/bin/sh
# apache-arrow 21.2.0 prints 256-bit decimals, and negative 64-bit ones, as other numbers, and raises nothing.
#
# Guess: String(value) of a decimal column is its unscaled whole number, whatever its width, as it is for 128 bits.
# Seen: 1.25 and -2.50 with two decimals are "125" and "-250" of 128 bits. Of 256 bits they are "5" and "-0"; of 64 bits the
#       second is "18446744073709551366". JSON.stringify gives the same texts. Number(value) and value.valueOf(2) are right for all three
#       widths; of 32 bits they throw, and the text is right.
# So:   take decimals by valueOf(scale) or from the column's words, never by their text, and not by JSON: pyarrow 26.0.1 writes
#       all four widths.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input pyarrow==26.0.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund apache-arrow@21.2.0
py/bin/python - <<'PY'
from decimal import Decimal
import pyarrow, pyarrow.feather
values = [Decimal("1.25"), Decimal("-2.50")]
types = [pyarrow.decimal32(9, 2), pyarrow.decimal64(12, 2), pyarrow.decimal128(12, 2), pyarrow.decimal256(40, 2)]
table = pyarrow.table({f"of{t.bit_width}": pyarrow.array(values, t) for t in types})
pyarrow.feather.write_feather(table, "written.arrow", compression="uncompressed")
assert all(column.to_pylist() == values for column in pyarrow.feather.read_table("written.arrow").columns)
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { tableFromIPC } from "apache-arrow";
const table = tableFromIPC(readFileSync("written.arrow"));
const outcome = (read) => {
  try {
    return read();
  } catch {
    return "an error";
  }
};
const seen = {};
for (const bits of [32, 64, 128, 256]) {
  const values = [...table.getChild(`of${bits}`)];
  seen[bits] = { text: values.map(String).join(), number: values.map((v) => outcome(() => v.valueOf(2))).join() };
  console.log(`${bits} bits: text ${seen[bits].text}; valueOf(2) ${seen[bits].number}`);
}
const right = "1.25,-2.5";
const holds = seen[128].text === "125,-250" && seen[128].number === right &&
  seen[256].text === "5,-0" && seen[256].number === right &&
  seen[64].text === "125,18446744073709551366" && seen[64].number === right &&
  seen[32].text === "125,-250" && seen[32].number === "an error,an error";
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
