#!/bin/sh
# rsatoolbox 0.3.2: positive_, sqrt_, minmax_, geotopological_ and geodesic_transform() change the RDMs that they are given.
#
# Guess: each "returns a new RDMs object", as its docstring says, and leaves the old one; rank_transform() and transform() do.
# Seen: of cross-validated distances −0.5, 1, 4, 9, 2, 7 the old object has 0 for the negative one after sqrt_transform() and
#       positive_transform(), and is itself scaled to 0 … 1 after minmax_transform(), its name for the measure still the old one.
#       They write into the array of get_vectors(), which is the object's own.
# So:   negative cross-validated distances are what keeps their mean unbiased; after a plot of roots they are gone from the data.
#       Pass rdms.copy().
#
# Needs python3 with venv; about 500 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input rsatoolbox==0.3.2 scipy==1.17.1 numpy==2.4.6
cat >transforms.py <<'PY'
import sys
import numpy
from rsatoolbox.rdm import RDMs, geodesic_transform, geotopological_transform, minmax_transform
from rsatoolbox.rdm import positive_transform, rank_transform, sqrt_transform, transform

before = numpy.array([[-0.5, 1, 4, 9, 2, 7]])
calls = {
    "sqrt_transform": sqrt_transform,
    "positive_transform": positive_transform,
    "minmax_transform": minmax_transform,
    "geotopological_transform": lambda rdms: geotopological_transform(rdms, 0.2, 0.8),
    "geodesic_transform": geodesic_transform,
    "rank_transform": rank_transform,
    "transform": lambda rdms: transform(rdms, numpy.square),
}
seen = {}
for name, call in calls.items():
    rdms = RDMs(before.copy(), dissimilarity_measure="crossnobis")
    call(rdms)
    seen[name] = rdms.dissimilarities[0]
    print(name, "leaves", seen[name].round(3), rdms.dissimilarity_measure)
    copied = RDMs(before.copy())
    call(copied.copy())
    assert (copied.dissimilarities == before).all()
changed = {name for name, values in seen.items() if (values != before[0]).any()}
holds = changed == set(calls) - {"rank_transform", "transform"}
holds = holds and seen["sqrt_transform"][0] == 0 and seen["sqrt_transform"][3] == 9 and seen["minmax_transform"].max() == 1
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore transforms.py
