#!/bin/sh
# nifti-reader-js 0.8.0 places a volume by its qform where the qform's code is the larger one; nibabel 5.4.2 always by its sform.
#
# Guess: `affine` is the matrix that nibabel gives: the sform where its code is not 0, else the qform.
# Seen: with a qform of code 2 and a sform of code 1, nibabel's affine is the sform and nifti-reader-js's the qform: for two that
#       differ by a turn and by voxels of 2 × 2 × 3 mm the corner voxel lies at (1, 2, 3) or at (10, 20, 30). With equal codes, or with
#       one of the two, both give the same matrix.
# So:   a browser's view and a Python analysis of one file put a region in different places. Decide for yourself: the header's raw
#       sform (srow_x, srow_y, srow_z) is in the file; compare both matrices where both codes are set.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input nibabel==5.4.2 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund nifti-reader-js@0.8.0
py/bin/python - <<'PY'
import json, nibabel, numpy
turned = numpy.array([[0, -2, 0, 10], [2, 0, 0, 20], [0, 0, 3, 30], [0, 0, 0, 1.0]])
plain = numpy.array([[1, 0, 0, 1], [0, 1, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]])
found = {}
for qcode, scode in [(1, 0), (0, 1), (1, 1), (1, 2), (2, 1)]:
    image = nibabel.Nifti1Image(numpy.zeros((2, 3, 4), "int16"), None)
    image.set_qform(turned if qcode else None, qcode)
    image.set_sform(plain if scode else None, scode)
    nibabel.save(image, f"{qcode}{scode}.nii")
    found[f"{qcode}{scode}"] = nibabel.load(f"{qcode}{scode}.nii").affine.tolist()
json.dump({"found": found, "turned": turned.tolist(), "plain": plain.tolist()}, open("nibabel.json", "w"))
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { readHeader } from "nifti-reader-js";
const { found, turned, plain } = JSON.parse(readFileSync("nibabel.json"));
const same = (a, b) => a.every((row, i) => row.every((value, j) => Math.abs(value - b[i][j]) < 1e-5));
const name = (matrix) => same(matrix, turned) ? "qform" : same(matrix, plain) ? "sform" : "neither";
let seen = "";
for (const [codes, affine] of Object.entries(found).sort()) {
  const line = `qform ${codes[0]}, sform ${codes[1]}: nibabel ${name(affine)}, nifti-reader-js ${name(readHeader(new Uint8Array(readFileSync(`${codes}.nii`)).buffer).affine)}`;
  console.log(line);
  seen += line.split(": ")[1] + "\n";
}
const both = (kind) => `nibabel ${kind}, nifti-reader-js ${kind}\n`;
const holds = seen === both("sform") + both("qform") + both("sform") + both("sform") + "nibabel sform, nifti-reader-js qform\n";
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
