#!/bin/sh
# ncut-pytorch 3.2.0: transform() gives the points it was fitted to other eigenvectors as soon as they are not all, or not in order.
#
# Guess: a point of the fit has the same coordinates whatever else is in the call: transform(X[:1999]) is transform(X)[:1999].
# Seen: 2,000 points in six clusters, eight eigenvectors. Of all points in the order of the fit they are of unit length. With one
#       point left out, or all in another order, the second to sixth are 2.7 to 3.1 times as long and the last two 0.9 times,
#       and those correlate at 0.9 with what they were; the first, nearly constant one even at −0.5. The rest are interpolated, by
#       weights that do not add up to 1. ncut_fn() does so, too, from 8,193 points on: lengths of 5 to 6, and 2 for the last, in
#       place of 1 at 8,192.
# So:   distances, t-SNE, k-means and thresholds mix scales between images of one fit, and between 8,192 and 8,193 nodes. Put all
#       nodes through one call, and divide each column by its length, or only compare directions.
#
# Needs python3 with venv; PyTorch for Linux takes about 6 GB. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input ncut-pytorch==3.2.0 fpsample==1.0.2 torch==2.15.0 numpy==2.4.6
cat >points.py <<'PY'
import sys
import numpy
import torch
from ncut_pytorch import Ncut, ncut_fn

torch.manual_seed(0)
random = numpy.random.default_rng(0)
centres = 2 * random.normal(size=(6, 32))


def points(count):
    return torch.tensor(centres[random.integers(6, size=count)] + random.normal(size=(count, 32)), dtype=torch.float32)


fitted = points(2000)
model = Ncut(n_eig=8).fit(fitted)
whole = model.transform(fitted).numpy()
part = model.transform(fitted[:1999]).numpy()
order = torch.tensor(random.permutation(2000))
shuffled = model.transform(fitted[order]).numpy()
lengths = numpy.linalg.norm(whole, axis=0)
ratios = (part * whole[:1999]).sum(0) / (whole[:1999] ** 2).sum(0)
of_shuffled = (shuffled * whole[order]).sum(0) / (whole**2).sum(0)
alike = numpy.array([numpy.corrcoef(a, b)[0, 1] for a, b in zip(part.T, whole[:1999].T)])
print("all points, lengths", lengths.round(3))
print("without the last: times", ratios.round(2), "correlations", alike.round(3))
print("in another order: times", of_shuffled.round(2))
above = [numpy.linalg.norm(ncut_fn(points(count), n_eig=8)[0].numpy(), axis=0) for count in [8192, 8193]]
print("ncut_fn, lengths at 8,192", above[0].round(2), "at 8,193", above[1].round(2))
holds = numpy.allclose(lengths, 1, atol=1e-3) and numpy.allclose(above[0], 1, atol=1e-3)
holds = holds and all(2.5 < of[1:6].min() and of[1:6].max() < 3.3 and of[6:].max() < 1.2 for of in [ratios, of_shuffled])
holds = holds and alike[0] < 0.5 and alike[6:].max() < 0.95 and above[1][:6].min() > 4 and above[1][6:].max() < 3
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore points.py
