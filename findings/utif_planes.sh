#!/bin/sh
# utif 3.1.0 shows a TIFF of three planes as a scrambled picture, and floats behind a predictor as other numbers.
#
# Guess: toRGBA8() gives the colors that tifffile 2026.3.3 gives, or says that a layout is not supported.
# Seen: where red, green and blue lie in planes one behind the other (PlanarConfiguration 2, tifffile's "separate"), the first
#       pixel is made of the first three values of red. Interleaved, the same picture is right. float32 compressed with the
#       floating-point predictor (3) is handed on as it is stored; without predictor its bytes are right. Nothing is raised.
# So:   look at tags 284 (planes) and 317 (predictor) of the decoded file before its data are used.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input tifffile==2026.3.3 imagecodecs==2026.3.6 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund utif@3.1.0
py/bin/python - <<'PY'
import numpy, tifffile
rows, cols = 8, 10
red = numpy.arange(rows * cols, dtype="u1").reshape(rows, cols)
planes = numpy.stack([red, 100 + red, 200 - red])
tifffile.imwrite("planes.tif", planes, photometric="rgb", planarconfig="separate")
tifffile.imwrite("together.tif", numpy.moveaxis(planes, 0, -1), photometric="rgb")
floats = (red / 8 - 3).astype("<f4")
tifffile.imwrite("plain.tif", floats, compression="zlib")
tifffile.imwrite("predicted.tif", floats, compression="zlib", predictor=3)
assert (tifffile.imread("planes.tif") == planes).all() and (tifffile.imread("predicted.tif") == floats).all()
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import UTIF from "utif";
const open = (path) => {
  const bytes = readFileSync(path), buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const [picture] = UTIF.decode(buffer);
  UTIF.decodeImage(buffer, picture);
  return picture;
};
const rgb = (path) => Array.from(UTIF.toRGBA8(open(path)).slice(0, 8)).filter((_, at) => at % 4 < 3).join();
const floats = (path) => Array.from(new Float32Array(open(path).data.slice().buffer)).slice(0, 3).join();
const seen = [rgb("together.tif"), rgb("planes.tif"), floats("plain.tif"), floats("predicted.tif")];
console.log("two pixels, interleaved:", seen[0], "planes:", seen[1]);
console.log("three floats, plain:", seen[2], "predictor:", seen[3]);
const holds = seen[0] === "0,100,200,1,101,199" && seen[1] === "0,1,2,3,4,5" && seen[2] === "-3,-2.875,-2.75" && seen[3] !== seen[2];
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
