#!/bin/sh
# jsfive 0.4.2: cells that were never written are holes in `value`, not the data set's fill value.
#
# Guess: the fill value, as h5py 3.16.0 and h5wasm 0.10.3 give it; jsfive shows it as `fillvalue`.
# Seen: where a file's chunks were never written, or a whole data set, `value` is a plain array with holes: reading one gives
#       undefined, `map` and `forEach` pass over them, Float32Array.from makes them NaN and Int16Array.from 0, whatever the
#       fill value is.
# So:   responses that a study fills with NaN look right by luck and those filled with a number do not; put `fillvalue` into
#       the holes before the array is used.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input h5py==3.16.0 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund jsfive@0.4.2 h5wasm@0.10.3
py/bin/python - <<'PY'
import h5py, numpy
with h5py.File("written.h5", "w") as file:
    responses = file.create_dataset("responses", shape=(6, 4), dtype="<i2", chunks=(2, 4), fillvalue=7)
    responses[2:4] = numpy.arange(8).reshape(2, 4)
    file.create_dataset("nothing", shape=(5,), dtype="<f4", fillvalue=3.5)
with h5py.File("written.h5") as file:
    assert (file["responses"][:2] == 7).all() and (file["nothing"][:] == 3.5).all()
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import * as jsfive from "jsfive";
import { File, ready } from "h5wasm/node";
await ready;
const bytes = readFileSync("written.h5");
const five = new jsfive.File(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), "written.h5");
const wasm = new File("written.h5", "r");
const responses = five.get("responses"), nothing = five.get("nothing");
console.log("h5wasm", Array.from(wasm.get("responses").value).join(" "));
console.log("jsfive", Array.from(responses.value).join(" "), "fillvalue", responses.fillvalue);
const holes = (values) => values.length - Object.keys(values).length;
console.log("holes", holes(responses.value), "of 24,", holes(nothing.value), "of 5");
const holds = wasm.get("responses").value[0] === 7 && wasm.get("nothing").value[0] === 3.5 &&
  holes(responses.value) === 16 && responses.value[8] === 0 && responses.fillvalue === 7 &&
  holes(nothing.value) === 5 && Int16Array.from(responses.value)[0] === 0;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
