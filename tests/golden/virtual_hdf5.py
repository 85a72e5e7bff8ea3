"""Writes virtual_hdf5.json: a virtual dataset of three files as h5py 3.16.0 writes it, and what h5py reads without one of them.

python tests/golden/virtual_hdf5.py
"""

import base64
import json
import pathlib
import tempfile
import zlib

import h5py
import numpy as np

folder = pathlib.Path(tempfile.mkdtemp())
RUNS = [f"run{i}.hdf5" for i in range(3)]
layout = h5py.VirtualLayout(shape=(6, 2), dtype="<i2")
for i, name in enumerate(RUNS):
    with h5py.File(folder / name, "w") as file:
        file["betas"] = np.arange(1, 5, dtype="<i2").reshape(2, 2) + 10 * i
    layout[2 * i : 2 * i + 2] = h5py.VirtualSource(name, "betas", shape=(2, 2))
with h5py.File(folder / "all.hdf5", "w") as file:
    file.create_virtual_dataset("betas", layout)
nested = h5py.VirtualLayout(shape=(6, 2), dtype="<i2")
nested[:] = h5py.VirtualSource("all.hdf5", "betas", shape=(6, 2))
with h5py.File(folder / "nested.hdf5", "w") as file:
    file.create_virtual_dataset("betas", nested)

files = {path.name: base64.b64encode(zlib.compress(path.read_bytes(), 9)).decode() for path in sorted(folder.iterdir())}
read = {}
for name in ["whole", "without"]:
    with h5py.File(folder / "nested.hdf5") as file:
        read[name] = file["betas"][()].tolist()
    (folder / RUNS[1]).unlink(missing_ok=True)
golden = {"h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version, "files": files, "read": read}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
