#!/bin/sh
# scikit-learn 1.9.1: TSNE(metric="precomputed", method="exact") squares the caller's own distances, in place.
#
# Guess: fit() leaves its input as it was, as with method "barnes_hut"; a second fit of the same array gives the same map.
# Seen: afterwards the array holds the squares, bit for bit, in float64 and float32. A second fit, same seed and start, gives another map
#       and squares again: a distance of 3 is 9, then 81. Under "barnes_hut" the array is left alone.
# So:   give a copy. A loop over perplexities or seeds, or an RDM that is compared or drawn after its map, goes wrong without a word.
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat >precomputed.py <<'PY'
import sys
import numpy
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import TSNE
points = numpy.random.default_rng(0).normal(size=(60, 4))
plain = squareform(pdist(points))
start = {"metric": "precomputed", "perplexity": 10, "init": points[:, :2] / 1e3, "max_iter": 300}
holds = True
for kind in ["float64", "float32"]:
    given = plain.astype(kind)
    before = given.copy()
    first = TSNE(method="exact", **start).fit_transform(given)
    squared = bool((given == before**2).all())
    second = TSNE(method="exact", **start).fit_transform(given)
    twice = bool((given == (before**2) ** 2).all())
    again = TSNE(method="exact", **start).fit_transform(before.copy())
    same, moved = bool((again == first).all()), float(numpy.abs(second - first).max() / numpy.abs(first).max())
    print(f"{kind}: squared {squared}, after a second fit squared twice {twice}; a copy repeats the map {same}, the array moves it by {moved:.2f}")
    holds &= squared and twice and same and moved > 0.05
kept = plain.copy()
TSNE(method="barnes_hut", **start).fit(kept)
untouched = bool((kept == plain).all())
print(f"barnes_hut leaves the distances alone: {untouched}")
holds &= untouched
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python precomputed.py
