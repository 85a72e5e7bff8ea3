#!/bin/sh
# scikit-image 0.26.0: cut_normalized() never divides two regions, and makes one segment of regions that have nothing in common.
#
# Guess: the less alike two regions are, the surer they are cut: at a similarity of 0 the normalised cut is 0, below any threshold.
# Seen: black beside white comes back as one segment: a graph of two regions is never divided. Stripes of black, white, black, white,
#       whose similarity is exp(−255² · 3 / 255), 0 in the graph, come back as one segment, too: where only the loops are left, no
#       cut is tried. Stripes of 0, 1, 255 and 254 are cut into the two that they are. Of 0, 100, 200, 255 the last two are one.
# So:   few or very different regions (superpixels of clear figures, strong features under a narrow kernel) come out as too few
#       segments, though each cut costs nothing. With 1e-6 added to every edge the cuts are made, down to pairs.
#
# Needs python3 with venv; about 400 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scikit-image==0.26.0 scipy==1.17.1 numpy==2.4.6
cat >stripes.py <<'PY'
import sys
import numpy
from skimage import graph


def segments(grays, least=0.0):
    regions = numpy.repeat(numpy.arange(len(grays)), 4)[None].repeat(4, 0)
    picture = numpy.array(grays, float)[regions][..., None].repeat(3, 2)
    similarity = graph.rag_mean_color(picture, regions, mode="similarity")
    for _, _, edge in similarity.edges(data=True):
        edge["weight"] += least
    found = graph.cut_normalized(regions, similarity, rng=0)[0, ::4]
    return [int(label) for label in numpy.unique(found, return_inverse=True)[1]]


seen = {}
for grays in [(0, 255), (0, 255, 0, 255), (0, 100, 200, 255), (0, 1, 255, 254)]:
    seen[grays] = segments(grays)
    print("stripes", grays, "segments", seen[grays], "with 1e-6 added to every edge", segments(grays, 1e-6))
holds = list(seen.values()) == [[0, 0], [0, 0, 0, 0], [0, 1, 2, 2], [0, 0, 1, 1]]
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore stripes.py
