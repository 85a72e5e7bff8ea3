#!/bin/sh
# nibabel 5.4.2: read_annot() gives a vertex whose color is not in the table the number of some other region.
#
# Guess: −1, as for vertices of color 0, and as the docstring says of a vertex that does not belong to any label.
# Seen: only color 0 becomes −1. Any other color that is missing gets the region whose code follows it in sorted order: with
#       three regions V1, V2 and MT, one color becomes V1, another V2, a third MT; one beyond the last raises an IndexError.
# So:   a region cut out of the table by an editor turns into parts of other regions. Compare the raw codes
#       (`orig_ids=True`) with `ctab[:, 4]` before a mask is built from the numbers.
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input nibabel==5.4.2 numpy==2.4.6
py/bin/python - <<'PY'
import struct
import sys
import numpy
from nibabel.freesurfer import read_annot

names = ["V1", "V2", "MT"]
colors = [[10, 20, 30, 0], [40, 50, 60, 0], [70, 80, 90, 0]]
codes = [r + (g << 8) + (b << 16) for r, g, b, _ in colors]
# the three regions, no region, and three colors that no region has
vertices = [*codes, 0, codes[0] - 1, codes[1] - 1, codes[2] - 1]
integers = lambda *values: struct.pack(f">{len(values)}i", *values)
text = lambda value: integers(len(value) + 1) + value.encode() + b"\0"
with open("lh.three.annot", "wb") as file:
    file.write(integers(len(vertices)))
    for vertex, code in enumerate(vertices):
        file.write(integers(vertex, code))
    file.write(integers(1, -2, len(names)) + text("three") + integers(len(names)))
    for region, name in enumerate(names):
        file.write(integers(region) + text(name) + integers(*colors[region]))
labels, table, read_names = read_annot("lh.three.annot")
raw, _, _ = read_annot("lh.three.annot", orig_ids=True)
print("codes  ", raw.tolist())
print("in table", table[:, 4].tolist())
print("labels ", labels.tolist())
holds = raw.tolist() == vertices and table[:, 4].tolist() == codes and labels.tolist() == [0, 1, 2, -1, 0, 1, 2]
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
