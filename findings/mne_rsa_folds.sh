#!/bin/sh
# mne-rsa 1.0: compute_rdm_cv() has the test fold in the training average; with two folds nothing is cross-validated at all.
#
# Guess: distances from the average of all other folds to the one left out, as its docstring says; noise that the items of one fold
#        share falls out.
# Seen: with two folds the answer is the average of each fold's own RDM, to 1e-12. Of 20 unrelated patterns with a pattern of noise
#       common to each fold, the correlation distance is 0.51 where cross-validation by hand gives 1.05. With n folds the average is
#       (n − 2) times the mean of all plus the test fold, over n − 1: a sign is the wrong way round. With four folds: 0.59 in place
#       of 1.00.
# So:   what items share by run (drift, arousal, the scanner's state) shows as similarity. Average the other folds yourself, or take
#       rsatoolbox's crossnobis.
#
# Needs python3 with venv; about 1.5 GB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input mne-rsa==1.0 mne==1.13.2 scipy==1.17.1 numpy==2.4.6
cat >folds.py <<'PY'
import sys
import numpy
from mne_rsa import compute_rdm, compute_rdm_cv
from scipy.spatial.distance import cdist

random = numpy.random.default_rng(0)


def by_hand(folds, training):
    """Distances from training(folds, test) to the test fold, averaged over tests, above the diagonal."""
    tests = range(len(folds))
    distances = sum(cdist(training(folds, test), folds[test], "correlation") for test in tests) / len(folds)
    return distances[numpy.triu_indices(folds.shape[1], 1)]


def others(folds, test):
    return numpy.delete(folds, test, 0).mean(0)


def leaking(folds, test):
    return ((len(folds) - 2) * folds.mean(0) + folds[test]) / (len(folds) - 1)


holds = True
for count in [2, 4]:
    folds = random.normal(size=(count, 20, 100)) + random.normal(size=(count, 1, 100))
    found = compute_rdm_cv(folds, metric="correlation")
    right, leaked = by_hand(folds, others), by_hand(folds, leaking)
    own = numpy.mean([compute_rdm(fold, metric="correlation") for fold in folds], 0)
    print(f"{count} folds: mne-rsa {found.mean():.3f}, by hand {right.mean():.3f}, with the test fold in the average off by", abs(found - leaked).max())
    if count == 2:
        print("from each fold's own RDM off by", abs(found - own).max())
        holds = holds and numpy.allclose(found, own, atol=1e-12)
    holds = holds and numpy.allclose(found, leaked, atol=1e-12) and found.mean() < right.mean() - 0.1 and abs(right.mean() - 1) < 0.1
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore folds.py
