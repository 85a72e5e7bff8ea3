#!/bin/sh
# nifti-reader-js 0.8.0: a NIfTI-2 file that has only a qform comes with an affine of zeros, and nothing is raised.
#
# Guess: `affine` is the matrix of the qform, as for the same volume in NIfTI-1 and as nibabel 5.4.2 gives it for both.
# Seen: in NIfTI-1 it is, to 1e-5. In NIfTI-2 the three rows are 0: every voxel lies at the origin. With a sform the affine is
#       right in both. `getQformMat()` of the same header gives the right matrix.
# So:   where `sform_code` is 0 and `qform_code` is not, call `getQformMat()`; a check that the affine can be inverted finds such
#       files.
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
place = numpy.array([[0, -2, 0, 10], [2, 0, 0, 20], [0, 0, 3, 30], [0, 0, 0, 1.0]])
for version, kind in [(1, nibabel.Nifti1Image), (2, nibabel.Nifti2Image)]:
    for form in ["qform", "sform"]:
        image = kind(numpy.zeros((2, 3, 4), "int16"), None)
        image.set_qform(place if form == "qform" else None, int(form == "qform"))
        image.set_sform(place if form == "sform" else None, int(form == "sform"))
        nibabel.save(image, f"{form}{version}.nii")
        assert numpy.abs(nibabel.load(f"{form}{version}.nii").affine - place).max() < 1e-5
json.dump(place.tolist(), open("place.json", "w"))
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { readHeader } from "nifti-reader-js";
const place = JSON.parse(readFileSync("place.json"));
const near = (matrix) => matrix.every((row, i) => row.every((value, j) => Math.abs(value - place[i][j]) < 1e-5));
const header = (name) => readHeader(new Uint8Array(readFileSync(`${name}.nii`)).buffer);
for (const name of ["qform1", "sform1", "qform2", "sform2"]) console.log(name, JSON.stringify(header(name).affine));
const second = header("qform2");
console.log("getQformMat() of qform2", JSON.stringify(second.getQformMat()));
const holds = ["qform1", "sform1", "sform2"].every((name) => near(header(name).affine)) && second.qform_code === 1 &&
  second.affine.slice(0, 3).flat().every((value) => value === 0) && near(second.getQformMat());
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
