#!/bin/sh
# hyperalignment 0.1.1: procrustes(X, Y, scaling=True) scales by a wrong factor unless columns are centred.
#
# Guess: the T that makes |X T − Y| least, as its docstring says: for Y = 3 X Q with a rotation Q, T is 3 Q and nothing is left.
# Seen: for X of mean 2 and deviation 1 (50 rows, 6 columns) T scales by 14.4 in place of 3, and |X T − Y| is 3.8 times |Y|; without
#       scaling it is 0.67 of it. With centred X it is 3 to 1e-9. The rotation is fitted to the data as given, and the factor divides
#       by their variance about the mean.
# So:   data whose columns have a mean (features behind a ReLU, raw BOLD) come out far too large. Centre the columns of both, or
#       multiply T by the sum of X's squares about the mean over that about 0.
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input hyperalignment==0.1.1 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat >scale.py <<'PY'
import sys
import numpy
from hyperalignment import procrustes

random = numpy.random.default_rng(0)
rotation = numpy.linalg.qr(random.normal(size=(6, 6)))[0]
around = random.normal(size=(50, 6))
seen = {}
for name, source in [("as given", around + 2), ("centred", around - around.mean(0))]:
    target = 3 * source @ rotation
    for scaling in [True, False]:
        found = procrustes(source, target, scaling=scaling)
        left = numpy.linalg.norm(source @ found - target) / numpy.linalg.norm(target)
        seen[name, scaling] = numpy.linalg.svd(found)[1][0], left
        print(f"{name}, scaling={scaling}: factor {seen[name, scaling][0]:.3f}, |X T - Y| / |Y| = {left:.2e}")
holds = seen["as given", True][0] > 10 and seen["as given", True][1] > 3 and 0.6 < seen["as given", False][1] < 0.7
holds = holds and abs(seen["centred", True][0] - 3) < 1e-9 and seen["centred", True][1] < 1e-9
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python scale.py
