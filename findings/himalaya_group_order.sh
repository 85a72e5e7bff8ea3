#!/bin/sh
# himalaya 0.4.11: the weights of GroupRidgeCV are in the order of its groups, not of X's columns.
#
# Guess: coef_[i] is the weight of column i, as with Ridge of the same package and with scikit-learn 1.9.1; X @ coef_ is the
#        prediction.
# Seen: responses made of four features with weights 1, 2, 3, 4, without noise. With groups [0, 0, 1, 1] coef_ is 1, 2, 3, 4; with
#       [1, 0, 1, 0] it is 2, 4, 1, 3 and with [1, 1, 0, 0] it is 3, 4, 1, 2. predict() is right to 1e-4 in all three, X @ coef_ only
#       in the first; the shape is the same. The docstring says no more than (n_features, n_targets).
# So:   where groups are not sorted, as of channels of several layers or delays side by side, a map of weights names the wrong
#       features. Put them back: weights[numpy.argsort(groups, kind="stable")] = coef_.
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input himalaya==0.4.11 packaging==26.4 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat >groups.py <<'PY'
import sys
import numpy
from himalaya.ridge import GroupRidgeCV, Ridge

random = numpy.random.default_rng(0)
features = random.normal(size=(200, 4))
responses = features @ numpy.array([[1.0], [2.0], [3.0], [4.0]])
plain = Ridge(alpha=1e-6).fit(features, responses).coef_.ravel()
print("Ridge", plain.round(3))
holds = numpy.allclose(plain, [1, 2, 3, 4], atol=1e-3)
for groups, expected in [([0, 0, 1, 1], [1, 2, 3, 4]), ([1, 0, 1, 0], [2, 4, 1, 3]), ([1, 1, 0, 0], [3, 4, 1, 2])]:
    search = {"n_iter": 5, "alphas": numpy.array([1e-6, 1e-5]), "progress_bar": False}
    model = GroupRidgeCV(groups=groups, solver_params=search, random_state=0).fit(features, responses)
    predicted = numpy.abs(model.predict(features) - responses).max()
    by_column = numpy.abs(features @ model.coef_ - responses).max()
    back = numpy.empty_like(model.coef_)
    back[numpy.argsort(groups, kind="stable")] = model.coef_
    print("groups", groups, "coef_", model.coef_.ravel().round(3), f"predict() off by {predicted:.1e}, X @ coef_ by {by_column:.1e}")
    holds = holds and numpy.allclose(model.coef_.ravel(), expected, atol=1e-3) and predicted < 1e-4
    holds = holds and (by_column > 1) == (groups[0] == 1) and numpy.allclose(back.ravel(), [1, 2, 3, 4], atol=1e-3)
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore groups.py
