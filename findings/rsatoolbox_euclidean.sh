#!/bin/sh
# rsatoolbox 0.3.2: calc_rdm(method="euclidean"), its default method, returns squared distances divided by the number of channels.
#
# Guess: the Euclidean distance between patterns, as scipy's pdist gives it.
# Seen: (0, 0, 0, 0) and (3, 4, 0, 0) are 6.25 apart: 5² / 4 channels. The docstring calls it "euclidean distance".
# So:   ranks (Spearman, Kendall) compare with anyone's Euclidean RDM, but Pearson and cosine do not, and RDMs of layers with
#       different widths differ by a factor. Take the root, and multiply by √channels, before values are put beside others.
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input rsatoolbox==0.3.2 numpy==2.4.6 scipy==1.17.1
py/bin/python - <<'PY'
import sys
import numpy
import rsatoolbox
from scipy.spatial.distance import pdist
patterns = numpy.random.default_rng(0).normal(size=(8, 4))
patterns[:2] = [[0, 0, 0, 0], [3, 4, 0, 0]]
data = rsatoolbox.data.Dataset(patterns)
ours = rsatoolbox.rdm.calc_rdm(data, method="euclidean").dissimilarities[0]
default = rsatoolbox.rdm.calc_rdm(data).dissimilarities[0]
euclidean = pdist(patterns)
print(f"first pair: rsatoolbox {ours[0]:.2f}, scipy {euclidean[0]:.2f}")
print("Pearson with scipy's:", round(float(numpy.corrcoef(ours, euclidean)[0, 1]), 3))
holds = numpy.allclose(ours, euclidean**2 / 4) and numpy.allclose(default, ours)
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
