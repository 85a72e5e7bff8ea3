#!/bin/sh
# h5wasm 0.10.3 reads a data set that h5py 3.16.0 wrote with its own LZF filter as other numbers, and raises nothing.
#
# Guess: LZF is not among the filters that h5wasm was built with, so `.value` throws, as h5py does where a filter is missing.
# Seen: `.value` returns a Float32Array of the right length that does not hold the data; libhdf5 writes "required filter 'lzf'
#       is not registered" to standard error. The same data under gzip are right. Only after
#       `activate_throwing_error_handler()` does the same call throw.
# So:   a reader built on h5wasm has to switch that handler on before it opens a file. LZF is h5py's usual choice for speed.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input h5py==3.16.0 numpy==2.4.6
npm install --silent --no-audit --no-fund h5wasm@0.10.3
py/bin/python - <<'PY'
import h5py, numpy
values = numpy.arange(64 * 48, dtype="<f4").reshape(64, 48)
with h5py.File("written.h5", "w") as file:
    for name in ["gzip", "lzf"]:
        file.create_dataset(name, data=values, chunks=(16, 16), compression=name)
with h5py.File("written.h5") as file:
    assert (file["lzf"][:] == values).all()
PY
cat >read.mjs <<'JS'
import { File, ready } from "h5wasm/node";
const module = await ready;
const right = (values) => values.length === 64 * 48 && values.every((value, at) => value === at);
const outcome = (name) => {
  try {
    return right(new File("written.h5", "r").get(name).value) ? "right" : "wrong numbers, no error";
  } catch {
    return "an error";
  }
};
const seen = [outcome("gzip"), outcome("lzf")];
module.activate_throwing_error_handler();
seen.push(outcome("gzip"), outcome("lzf"));
console.log(`gzip: ${seen[0]}; lzf: ${seen[1]}; with the handler, gzip: ${seen[2]}; lzf: ${seen[3]}`);
process.exit(seen.join() === "right,wrong numbers, no error,right,an error" ? 0 : 1);
JS
node read.mjs 2>errors.txt || { echo "changed: this finding no longer holds"; exit 1; }
grep -q "required filter 'lzf' is not registered" errors.txt
