#!/bin/sh
# medpy 0.5.2: obj_asd(result, reference) measures from the reference to the result, asd(result, reference) the other way.
#
# Guess: of one object in each mask the two are the same number; both are directed, "from result to reference".
# Seen: a 3 × 3 square and its middle column: asd() is 0.75, and 0.333 with the two exchanged; obj_asd() is 0.333, and 0.75
#       exchanged. Its docstring says 1.5 and 0.333. Of a 10 × 10 square and the same with a spike of two pixels, asd() is 0.028
#       and obj_asd() 0.081. assd() and obj_assd(), which are of both directions, agree.
# So:   what grows in one with spurious parts of a segmentation grows in the other with missed ones. Name the direction, or take
#       obj_assd().
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input medpy==0.5.2 scipy==1.17.1 numpy==2.4.6
cat >directions.py <<'PY'
import re
import sys
import numpy
from medpy.metric.binary import asd, assd, obj_asd, obj_assd

full, column = numpy.ones((3, 3), int), numpy.array([[0, 1, 0]] * 3)
square = numpy.zeros((20, 20), int)
square[5:15, 5:15] = 1
spiked = square.copy()
spiked[3:5, 9] = 1
holds = True
for a, b in [(full, column), (square, spiked)]:
    plain, objects = [float(f(*of)) for f in (asd, obj_asd) for of in [(a, b)]], [float(f(b, a)) for f in (asd, obj_asd)]
    both = float(assd(a, b)), float(obj_assd(a, b))
    print(f"asd {plain[0]:.3f}, exchanged {objects[0]:.3f}; obj_asd {plain[1]:.3f}, exchanged {objects[1]:.3f}; of both directions {both[0]:.3f}, {both[1]:.3f}")
    holds &= plain[0] == objects[1] and plain[1] == objects[0] and abs(plain[0] - plain[1]) > 0.05 and abs(both[0] - both[1]) < 1e-12
stated = re.search(r"obj_asd\(arr1, arr2\)\s+([\d.]+)\s+>>> obj_asd\(arr2, arr1\)\s+([\d.]+)", obj_asd.__doc__).groups()
print("its docstring:", *stated)
holds &= stated[0] == "1.5"
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python directions.py
