#!/bin/sh
# zarrita 0.7.5 gives cells that were never written another number where the fill value is a large 64-bit one.
#
# Guess: the fill value of zarr 3.1.6, as a BigInt, which holds it.
# Seen: in Zarr 2 and 3 alike, the largest int64 (a mark of missing data) comes as the smallest, −9223372036854775808; the
#       largest uint64 comes as 0; 2⁵³ + 1 comes as 2⁵³. What was written is right. The metadata are read as JSON, whose numbers
#       are doubles, and wrap around in the array. Nothing is raised.
# So:   a test for the mark finds no missing cell. Read `fill_value` out of the text of zarr.json or .zarray before it is parsed, or
#       keep marks below 2⁵³.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input zarr==3.1.6 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund zarrita@0.7.5 @zarrita/storage@0.2.0
py/bin/python -W ignore - <<'PY'
import zarr
for version in [2, 3]:
    for name, kind, fill in [("int64", "i8", 2**63 - 1), ("uint64", "u8", 2**64 - 1), ("number", "i8", 2**53 + 1)]:
        array = zarr.create_array(
            f"{name}_{version}.zarr", shape=(4,), chunks=(2,), dtype=kind, compressors=None, fill_value=fill, zarr_format=version
        )
        array[:2] = 5
        assert array[:].tolist() == [5, 5, fill, fill]
PY
cat >read.mjs <<'JS'
import * as zarr from "zarrita";
import { FileSystemStore } from "@zarrita/storage";
const expected = {
  int64: "5,5,-9223372036854775808,-9223372036854775808",
  uint64: "5,5,0,0",
  number: "5,5,9007199254740992,9007199254740992",
};
let holds = true;
for (const version of [2, 3]) {
  for (const name of Object.keys(expected)) {
    const array = await zarr.open(new FileSystemStore(`${process.cwd()}/${name}_${version}.zarr`), { kind: "array" });
    const found = Array.from((await zarr.get(array)).data).join();
    console.log(`Zarr ${version}, ${name}: ${found}`);
    holds &&= found === expected[name];
  }
}
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
