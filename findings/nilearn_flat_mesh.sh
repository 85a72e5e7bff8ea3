#!/bin/sh
# nilearn 0.14.1: the flat map of fsaverage5 has vertices that lie off the plane and belong to no face.
#
# Guess: "flat" is the sphere's 10,242 vertices and 20,480 faces with z = 0, the cut only taking faces away.
# Seen: left 18,654 faces, right 18,790; 777 and 705 vertices, the medial wall, are in no face. All others have z = 0 exactly; these
#       keep a place in space, z from about −22 to 58, and their x and y fall among the flat vertices.
# So:   values drawn at (x, y) of every vertex put the medial wall on top of cortex, and a plot scaled to all vertices is scaled
#       to the wrong box. Draw the faces, or leave out the vertices that no face names.
#
# Needs python3 with venv; the meshes are inside the package. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input nilearn==0.14.1 numpy==2.4.6
py/bin/python - <<'PY' 2>warnings.txt
import sys
import numpy
from nilearn.datasets import fetch_surf_fsaverage
from nilearn.surface import load_surf_mesh
meshes, seen = fetch_surf_fsaverage("fsaverage5"), []
for side in ["left", "right"]:
    mesh = load_surf_mesh(meshes[f"flat_{side}"])
    places, faces = numpy.asarray(mesh.coordinates), numpy.asarray(mesh.faces)
    used = numpy.zeros(len(places), bool)
    used[faces.ravel()] = True
    inside = (numpy.abs(places[~used, :2]) < numpy.abs(places[used, :2]).max(0)).all(1).sum()
    seen.append((len(places), len(faces), int((~used).sum()), bool((places[used, 2] == 0).all()), int(inside)))
    z = places[~used, 2]
    print(f"{side}: {len(faces)} faces, {(~used).sum()} vertices in none, their z {z.min():.1f} to {z.max():.1f}")
holds = seen == [(10242, 18654, 777, True, 777), (10242, 18790, 705, True, 705)]
print("holds" if holds else f"changed: this finding no longer holds: {seen}")
sys.exit(0 if holds else 1)
PY
