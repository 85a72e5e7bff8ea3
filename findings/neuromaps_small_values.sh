#!/bin/sh
# neuromaps 0.0.7: compare_images() leaves out every vertex that is 0 in one of the two maps, and takes all below 1e-8 for 0.
#
# Guess: the correlation over all vertices without NaN, whatever the unit.
# Seen: a region's indicator (0 and 1) and a map that is two deviations higher there, of r = 0.69: NaN, as the zeros, and so the
#       contrast, are gone. A map with half of its vertices set to 0 (thresholded): 0.71 in place of 0.50. Of a map of source
#       currents in A·m, about 1e-9, nothing is left: (nan, nan) in place of a number; times 1e9 it is right. ignore_zero=False gives
#       numpy's correlation.
# So:   what is a number for the medial wall is a value elsewhere. Set the wall to NaN, pass ignore_zero=False.
#
# Needs python3 with venv; about 700 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input neuromaps==0.0.7 netneurotools==0.3.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat >compare.py <<'PY'
import sys
import numpy
from neuromaps.stats import compare_images

random = numpy.random.default_rng(0)
region = (numpy.arange(1000) < 300).astype(float)
within = region + 0.5 * random.normal(size=1000)
source = random.normal(size=1000)
target = source + random.normal(size=1000)
thresholded = numpy.where(numpy.arange(1000) % 2, source, 0)
pairs = {"indicator": (region, within), "thresholded": (thresholded, target), "currents": (1e-9 * source, target), "times 1e9": (source, target)}
seen = {}
for name, (a, b) in pairs.items():
    found = numpy.ravel(compare_images(a, b))[0]  # a pair where nothing is left
    seen[name] = found, compare_images(a, b, ignore_zero=False), numpy.corrcoef(a, b)[0, 1]
    print(f"{name}: {seen[name][0]:.4f}, ignore_zero=False {seen[name][1]:.4f}, numpy {seen[name][2]:.4f}")
holds = all(abs(plain - right) < 1e-9 for name, (_, plain, right) in seen.items())
holds = holds and numpy.isnan(seen["indicator"][0]) and numpy.isnan(seen["currents"][0]) and seen["indicator"][2] > 0.6
holds = holds and seen["thresholded"][0] > seen["thresholded"][2] + 0.15 and abs(seen["times 1e9"][0] - seen["times 1e9"][2]) < 1e-9
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore compare.py
