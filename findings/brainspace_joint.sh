#!/bin/sh
# brainspace 0.3.0: GradientMaps with alignment "joint" returns eigenvalues of the first data set only, and cut by its number of rows.
#
# Guess: lambdas_ has the eigenvalues of every data set, each of n_components, as without alignment and with "procrustes".
# Seen: two data sets of 100 rows and five components: lambdas_ has shapes (5,) and (0,); gradients_ is 100 × 5 for each.
#       Without alignment and with "procrustes" both have five. Eigenvalues are sliced as if they were rows.
# So:   an average or a plot of explained variance over subjects is of the first one, or a loop stops at an empty array. The joint
#       embedding has one set of eigenvalues: take lambdas_[0].
#
# Needs python3 with venv; about 600 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input brainspace==0.3.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat >joint.py <<'PY'
import sys
import numpy
from brainspace.gradient import GradientMaps

random = numpy.random.default_rng(0)
first = random.normal(size=(100, 40)) + random.normal(size=(100, 1))
sets = [first, first + 0.1 * random.normal(size=first.shape)]
shapes = {}
for alignment in [None, "procrustes", "joint"]:
    maps = GradientMaps(n_components=5, alignment=alignment, random_state=0).fit(sets)
    shapes[alignment] = [values.shape for values in maps.lambdas_], [values.shape for values in maps.gradients_]
    print(alignment, "eigenvalues", *shapes[alignment][0], "gradients", *shapes[alignment][1])
holds = all(gradients == [(100, 5), (100, 5)] for _, gradients in shapes.values())
holds = holds and shapes["joint"][0] == [(5,), (0,)] and shapes[None][0] == shapes["procrustes"][0] == [(5,), (5,)]
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore joint.py
