"""Writes fsaverage.json: what nibabel reads of nilearn's fsaverage5, the icosahedron of mne, and scipy's nearest vertices.

pip install nilearn==0.14.1 mne==1.13.2 nibabel==5.4.2 scipy numpy==2.4.6; python fsaverage.py
"""
import gzip
import hashlib
import json
import pathlib
import struct

import mne
import nibabel
import nilearn
import numpy
from scipy.spatial import cKDTree

FOLDER = pathlib.Path(nilearn.__file__).parent / "datasets/data/fsaverage5"
SAMPLE = [0, 11, 12, 41, 2562, 5000, 7777, 10_241]


def arrays(name):
    return [array.data for array in nibabel.load(FOLDER / f"{name}.gii.gz").darrays]


def sha256(numbers):
    return hashlib.sha256(numpy.ascontiguousarray(numbers, "<u4").tobytes()).hexdigest()


def ico7():
    """Places and faces of fsaverage: tags of a FIFF file, their shape behind the values."""
    content, at, found = gzip.open(pathlib.Path(mne.__file__).parent / "data/icos.fif.gz").read(), 0, {}
    while at + 16 < len(content):
        kind, _, size, _ = struct.unpack(">iiii", content[at:at + 16])
        if size == 163_842 * 12 + 12:
            found["places"] = numpy.frombuffer(content, ">f4", 163_842 * 3, at + 16).reshape(-1, 3).astype("f8")
        if size == 327_680 * 12 + 12:
            found["faces"] = numpy.frombuffer(content, ">i4", 327_680 * 3, at + 16).reshape(-1, 3) - 1
        at += 16 + size
    return found["places"], found["faces"]


places, faces = ico7()
places /= numpy.linalg.norm(places, axis=1, keepdims=True)
distance, _ = cKDTree(places[:10_242]).query(places[10_242::1000])
golden = {
    "faces5": sha256(arrays("sphere_left")[1]),
    "faces7": sha256(faces),
    "sample": SAMPLE,
    "sphere": arrays("sphere_left")[0][SAMPLE].astype(float).round(3).tolist(),
    "nearest": {"first": 10_242, "every": 1000, "distance": distance.round(5).tolist()},
}
for side, hemisphere in [("left", "lh"), ("right", "rh")]:
    flat, flat_faces = arrays(f"flat_{side}")
    used = numpy.zeros(len(flat), bool)
    used[flat_faces.ravel()] = True
    golden[hemisphere] = {
        "flat": [row.tolist() if is_used else [0, 0] for row, is_used in zip(
            flat[SAMPLE, :2].astype(float).round(3), used[SAMPLE])],
        "inflated": arrays(f"infl_{side}")[0][SAMPLE].astype(float).round(3).tolist(),
        "sulc": arrays(f"sulc_{side}")[0][SAMPLE].astype(float).round(3).tolist(),
        "flatFaces": len(flat_faces),
        "notFlat": int((~used).sum()),
        "flatFacesHash": sha256(sorted(sorted(face) for face in flat_faces.tolist())),
    }
(pathlib.Path(__file__).parent / "fsaverage.json").write_text(json.dumps(golden) + "\n")
