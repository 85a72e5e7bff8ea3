#!/bin/sh
# jsfive 0.4.2: a group or data set with nine attributes has none, where h5py 3.16.0 wrote it with libver "latest" or "v108".
#
# Guess: all nine, as in a file of libver "earliest", or an error that says what is not supported.
# Seen: eight attributes are all there; with a ninth, `attrs` is an empty object, and nothing is raised. h5py and h5wasm 0.10.3
#       give nine. HDF5 keeps up to eight in the object's header and moves all of them elsewhere when a ninth comes.
# So:   units, subject and noise ceilings that a study keeps as attributes vanish together as soon as one more is added; where
#       they decide how numbers are read, count them, or read with h5wasm.
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
import h5py
for libver in ["earliest", "v108", "latest"]:
    with h5py.File(f"{libver}.h5", "w", libver=libver if libver != "v108" else ("v108", "v108")) as file:
        for count in [8, 9]:
            dataset = file.create_dataset(f"with{count}", data=[1.0, 2.0])
            for i in range(count):
                dataset.attrs[f"attribute{i}"] = i
    with h5py.File(f"{libver}.h5") as file:
        assert [len(file[f"with{count}"].attrs) for count in [8, 9]] == [8, 9]
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import * as jsfive from "jsfive";
import { File, ready } from "h5wasm/node";
await ready;
const seen = {};
for (const libver of ["earliest", "v108", "latest"]) {
  const bytes = readFileSync(`${libver}.h5`);
  const five = new jsfive.File(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), libver);
  const wasm = new File(`${libver}.h5`, "r");
  seen[libver] = ["with8", "with9"].map((name) =>
    [wasm, five].map((file) => Object.keys(file.get(name).attrs).length)
  );
  console.log(libver, "h5wasm and jsfive, of 8:", seen[libver][0].join(" "), "of 9:", seen[libver][1].join(" "));
}
const holds = JSON.stringify(seen) === JSON.stringify({
  earliest: [[8, 8], [9, 9]],
  v108: [[8, 8], [9, 0]],
  latest: [[8, 8], [9, 0]],
});
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
