#!/bin/sh
# lz4js 0.2.0 decompresses the LZ4 frames in polars 2.1.0's Arrow files to other bytes, and raises nothing.
#
# Guess: a frame is a frame: what works for pyarrow 26.0.1's files, handed to apache-arrow 21.2.0 as its codec, works for
#        polars'.
# Seen: pyarrow's column comes back right. polars' has the right length and wrong numbers: its frames carry a checksum after
#       every block, pyarrow's do not. No error.
# So:   test a codec with frames of every writer whose files are read, or use one that checks those sums.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input polars==2.1.0 pyarrow==26.0.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund apache-arrow@21.2.0 lz4js@0.2.0
py/bin/python - <<'PY'
import polars, pyarrow, pyarrow.feather
values = [row // 7 for row in range(20000)]
polars.DataFrame({"x": values}).write_ipc("polars.arrow", compression="lz4")
pyarrow.feather.write_feather(pyarrow.table({"x": values}), "pyarrow.arrow", compression="lz4")
assert pyarrow.feather.read_table("polars.arrow")["x"].to_pylist() == values
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { CompressionType, compressionRegistry, tableFromIPC } from "apache-arrow";
import lz4 from "lz4js";
compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (frame) => lz4.decompress(frame) });
const wrong = (path) => {
  const values = tableFromIPC(readFileSync(path)).getChild("x").toArray();
  return Array.from({ length: 20000 }, (_, row) => Number(values[row]) !== Math.floor(row / 7)).filter(Boolean).length;
};
const pyarrow = wrong("pyarrow.arrow"), polars = wrong("polars.arrow");
console.log(`wrong numbers of 20000: pyarrow's file ${pyarrow}, polars' file ${polars}`);
const holds = pyarrow === 0 && polars > 10000;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
