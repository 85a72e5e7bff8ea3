#!/bin/sh
# rsatoolbox 0.3.2: calc_rdm(data, descriptor=…) sorts the conditions by name, and compare() pairs them by place, whatever their names.
#
# Guess: conditions stay in the data's order; compare() matches those of one name, or refuses RDMs whose orders differ.
# Seen: of six patterns called zebra, ant, mole, cat, dog and bee, one RDM is made with descriptor="image" and one without. Each
#       says its order in `pattern_descriptors`; compare() gives 0.49 for the two (method "corr") and 1 after both are in one order.
#       Nothing is raised. Names are sorted as text: "10" before "9".
# So:   a model's RDM in the order of files and a brain's by condition give a low number that looks like a result.
#       Bring both into one order (sort_by) and compare `pattern_descriptors` first.
#
# Needs python3 with venv; about 500 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input rsatoolbox==0.3.2 numpy==2.4.6
cat >order.py <<'PY'
import sys
import numpy
from rsatoolbox.data import Dataset
from rsatoolbox.rdm import calc_rdm, compare

names = ["zebra", "ant", "mole", "cat", "dog", "bee"]
patterns = numpy.random.default_rng(0).normal(size=(6, 20))
data = Dataset(patterns, obs_descriptors={"image": names})
named, plain = calc_rdm(data, descriptor="image"), calc_rdm(data)
orders = [list(rdm.pattern_descriptors["image"]) for rdm in (named, plain)]
before = compare(named, plain, method="corr").item()
for rdm in (named, plain):
    rdm.sort_by(image="alpha")
after = compare(named, plain, method="corr").item()
numbers = Dataset(patterns[:3], obs_descriptors={"image": ["10", "9", "2"]})
as_text = list(calc_rdm(numbers, descriptor="image").pattern_descriptors["image"])
print("with descriptor", orders[0], "without", orders[1])
print(f"compared {before:.3f}, in one order {after:.3f}; numbers as text {as_text}")
holds = orders == [sorted(names), names] and before < 0.6 and abs(after - 1) < 1e-9 and as_text == ["10", "2", "9"]
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore order.py
