#!/bin/sh
# nilearn 0.14.1: an event of duration 0 has a regressor whose height is proportional to the repetition time.
#
# Guess: an impulse is the response function itself, or at least the same function of time whatever the scanner's sampling; by a
#        duration close to 0 the regressor comes continuously near it.
# Seen: with the usual design (Glover, oversampling 50) one event of 0 s has a peak of 0.0035, 0.0069, 0.0125 and 0.0188 at
#       repetition times of 0.5, 1, 2 and 3 s: it lasts one sample of TR / 50. Events of 1 s have 0.33 to 0.34 at all four. So a beta
#       of impulses is 5 times as large at 0.5 s as at 3 s for the same response, and a third as large at oversampling 16 as at 50.
# So:   tests do not change, but betas and percent signal change of sessions or studies with other repetition times are not
#       comparable. Give stimuli the duration that they had, and any length above a few TR / 50.
#
# Needs python3 with venv; about 500 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input nilearn==0.14.1 pandas==3.1.1 scipy==1.17.1 numpy==2.4.6
cat >events.py <<'PY'
import sys
import numpy
import pandas
from nilearn.glm.first_level import make_first_level_design_matrix


def peak(repetition, duration, oversampling=50):
    times = numpy.arange(int(120 / repetition)) * repetition
    events = pandas.DataFrame({"onset": [12.0, 48.0], "duration": [duration] * 2, "trial_type": ["face"] * 2})
    design = make_first_level_design_matrix(times, events, hrf_model="glover", drift_model=None, oversampling=oversampling)
    return design["face"].max()


repetitions = [0.5, 1.0, 2.0, 3.0]
impulses = numpy.array([peak(t, 0.0) for t in repetitions])
seconds = numpy.array([peak(t, 1.0) for t in repetitions])
coarse = peak(2.0, 0.0, 16) / peak(2.0, 0.0, 50)
print("repetition times", repetitions)
print("peaks of 0 s", impulses.round(4), "of 1 s", seconds.round(3))
print("peak of 0 s by repetition time", (impulses / repetitions).round(4), "oversampling 16 over 50:", round(coarse, 2))
scaled = impulses / repetitions
holds = scaled.max() / scaled.min() < 1.15 and impulses[3] / impulses[0] > 5 and seconds.max() / seconds.min() < 1.05
holds = holds and 2.8 < coarse < 3.5
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore events.py
