#!/bin/sh
# mat-for-js 1.1.0 reads a three-dimensional array of a MATLAB v5 file with most values in other places, and raises nothing.
#
# Guess: a[i][j][k] of the nested arrays is what scipy 1.17.1 wrote at [i, j, k], as it is with two dimensions.
# Seen: of a 2 × 3 × 4 array without equal values 18 of 24 are elsewhere, and some are given twice; a 2 × 3 one is right.
# So:   a subject's responses as images × voxels × repeats (the usual layout) come out scrambled; keep to two dimensions, or
#       read the numbers in their own order, first index fastest.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scipy==1.17.1 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund mat-for-js@1.1.0
py/bin/python - <<'PY'
import numpy, scipy.io
three = numpy.arange(24.0).reshape(2, 3, 4)
scipy.io.savemat("written.mat", {"three": three, "two": three[:, :, 0]})
assert (scipy.io.loadmat("written.mat")["three"] == three).all()
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { read } from "mat-for-js";
const bytes = readFileSync("written.mat");
const { two, three } = read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)).data;
let right = 0;
for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) for (let k = 0; k < 4; k++) {
  if (three?.[i]?.[j]?.[k] === 12 * i + 4 * j + k) right++;
}
const flat = three.flat(2);
console.log("two  ", JSON.stringify(two));
console.log("three", JSON.stringify(three), `${right} of 24 in place, ${new Set(flat).size} different values`);
const holds = JSON.stringify(two) === "[[0,4,8],[12,16,20]]" && flat.length === 24 && right === 6 && new Set(flat).size < 24;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
