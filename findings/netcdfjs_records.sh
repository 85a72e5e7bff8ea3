#!/bin/sh
# netcdfjs 4.0.0 returns the padding between records as data, and signed bytes as unsigned ones.
#
# Guess: a variable of shape time × 3 comes as rows of three numbers, and a byte of −1 as −1, as scipy 1.17.1 reads them.
# Seen: where a file has two variables with a record dimension, a record of three int16 has four numbers, the last one −32767,
#       which fills it up to 8 bytes, and a single int16 has two. A file with one such variable is right. Three bytes −1, 2, 3
#       without that dimension come as [[255], [2], [3], [129]]. Nothing is raised.
# So:   half of such a time course is made up, and −32767 is also NetCDF's fill value, so that it passes for missing data. Cut
#       each record to the product of its other dimensions, and view bytes as signed.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scipy==1.17.1 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund netcdfjs@4.0.0
py/bin/python - <<'PY'
import numpy
from scipy.io import netcdf_file

def write(path, variables):
    with netcdf_file(path, "w") as file:
        file.createDimension("time", None)
        file.createDimension("voxel", 3)
        for name, kind, axes, values in variables:
            file.createVariable(name, kind, axes)[:] = values
    with netcdf_file(path, mmap=False) as file:
        for name, _, _, values in variables:
            assert (file.variables[name][:] == values).all()

course = ("course", "h", ("time",), numpy.arange(4))
write("one.nc", [course])
write("several.nc", [
    course,
    ("responses", "h", ("time", "voxel"), numpy.arange(12).reshape(4, 3)),
    ("fixed", "b", ("voxel",), numpy.array([-1, 2, 3])),
])
PY
cat >read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { NetCDFReader } from "netcdfjs";
const read = (path, name) => JSON.stringify(new NetCDFReader(readFileSync(path)).getDataVariable(name));
const seen = [
  read("one.nc", "course"),
  read("several.nc", "course"),
  read("several.nc", "responses"),
  read("several.nc", "fixed"),
];
console.log(seen.join("\n"));
const holds = seen[0] === "[0,1,2,3]" &&
  seen[1] === "[[0,-32767],[1,-32767],[2,-32767],[3,-32767]]" &&
  seen[2] === "[[0,1,2,-32767],[3,4,5,-32767],[6,7,8,-32767],[9,10,11,-32767]]" &&
  seen[3] === "[[255],[2],[3],[129]]";
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node read.mjs
