#!/bin/sh
# tiff 7.1.3 reads signed 16-bit and half-precision TIFF files as unsigned 16-bit numbers, and raises nothing.
#
# Guess: SampleFormat decides, as it does for float32 and float64, which come right; what is not supported is an error.
# Seen: of int16 the negative values come 65,536 too large in a Uint16Array; of float16 the bits come as whole numbers (15360
#       for 1). uint16, float32 and float64 of tifffile 2026.3.3 are right; 32-bit integers are refused.
# So:   statistical maps, height maps and differences that a study keeps in 16 bits look plausible and are wrong: read
#       `sampleFormat` of the decoded picture (2 signed, 3 floating) and view the same buffer as Int16Array or Float16Array.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input tifffile==2026.3.3 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund tiff@7.1.3
py/bin/python - <<'PY'
import numpy, tifffile
values = numpy.array([[1, -2, 300], [-400, 5, 6]])
for kind in ["int16", "float16", "float32", "float64", "int32"]:
    tifffile.imwrite(f"{kind}.tif", values.astype(kind))
    assert (tifffile.imread(f"{kind}.tif") == values).all()
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { decode } from "tiff";
const seen = {};
for (const kind of ["int16", "float16", "float32", "float64", "int32"]) {
  try {
    const [{ data, sampleFormat }] = decode(readFileSync(`${kind}.tif`));
    seen[kind] = `${data.constructor.name} ${Array.from(data).join()} format ${sampleFormat}`;
  } catch (error) {
    seen[kind] = error.message;
  }
  console.log(`${kind}: ${seen[kind]}`);
}
const right = "1,-2,300,-400,5,6";
const holds = seen.int16 === "Uint16Array 1,65534,300,65136,5,6 format 2" &&
  seen.float16 === "Uint16Array 15360,49152,23728,56896,17664,17920 format 3" &&
  seen.float32 === `Float32Array ${right} format 3` && seen.float64 === `Float64Array ${right} format 3` &&
  /Unsupported bitDepth: 32/.test(seen.int32);
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
