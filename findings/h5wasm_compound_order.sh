#!/bin/sh
# h5wasm 0.10.3 reads all members of a compound in the byte order of the first one, and raises nothing.
#
# Guess: each member in its own order, which `dtype` names, as h5py 3.16.0 gives them.
# Seen: of rows with a byte and a big-endian float32 (1.5, −2), as tables from FITS have, the byte is right and the floats are 6.9e-41
#       and 2.7e-43; `dtype` says "<B" and ">f". A big-endian int16 before little-endian floats comes as 1792 for 7. With text before,
#       or all members big-endian, all is right.
# So:   swap bytes where `dtype` has both signs, and do not trust a first look at small files: zeros are right either way.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input h5py==3.16.0 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund h5wasm@0.10.3
py/bin/python - <<'PY'
import h5py, numpy
with h5py.File("tables.h5", "w") as file:
    for name, count in [("byte", "u1"), ("int16", ">i2"), ("text", "S4")]:
        kind = numpy.dtype([("count", count), ("value", "<f4" if name == "int16" else ">f4")])
        file[name] = numpy.array([(b"V1" if name == "text" else 7, 1.5), (b"V2" if name == "text" else 30, -2)], kind)
        assert file[name]["value"].tolist() == [1.5, -2] and file[name]["count"][0] in (7, b"V1")
    file["all_big"] = numpy.array([(7, 1.5), (30, -2)], [("count", ">i2"), ("value", ">f4")])
PY
cat >read.mjs <<'JS'
import h5wasm from "h5wasm/node";
await h5wasm.ready;
const file = new h5wasm.File("tables.h5", "r");
const seen = {};
for (const name of file.keys()) {
  const table = file.get(name);
  seen[name] = JSON.stringify(table.value);
  console.log(name, JSON.stringify(table.dtype), seen[name]);
}
const [[byte, float], [, other]] = JSON.parse(seen.byte);
const holds = byte === 7 && float > 0 && float < 1e-40 && other > 0 && other < 1e-40 && seen.text === '[["V1",1.5],["V2",-2]]' &&
  JSON.parse(seen.int16)[0].join() === "1792,1.5" && seen.all_big === "[[7,1.5],[30,-2]]";
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
