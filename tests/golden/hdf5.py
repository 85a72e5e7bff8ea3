"""Writes hdf5.json: files in the layout of gtsegs_ijcv.mat, whole and damaged, as h5py writes them, and what h5py reads.

python tests/golden/hdf5.py
"""

import base64
import gzip
import json
import pathlib
import tempfile

import h5py
import numpy as np

rng = np.random.default_rng(0)
IMAGE = rng.integers(0, 255, (3, 8, 6), dtype="u1")
MASK = rng.integers(0, 2, (8, 6), dtype="u1")
folder = pathlib.Path(tempfile.mkdtemp())
files = {}


def make(name, damage=None, dtype="u1", **options):
    """Damage: which array, and which byte of its first chunk."""
    path = folder / name
    with h5py.File(path, "w", userblock_size=512) as file:
        arrays = {key: file.create_dataset(f"#refs#/{key}", data=value.astype(dtype), **options) for key, value in {"image": IMAGE, "mask": MASK}.items()}
        cell = file.create_dataset("#refs#/cell", data=np.array([[arrays["mask"].ref]], dtype=h5py.ref_dtype))
        file.create_dataset("value/img", data=np.array([[arrays["image"].ref]], dtype=h5py.ref_dtype))
        file.create_dataset("value/gt", data=np.array([[cell.ref]], dtype=h5py.ref_dtype))
        chunk = arrays[damage[0]].id.get_chunk_info(0) if damage else None
    data = bytearray(path.read_bytes())
    if damage:
        at = chunk.byte_offset + damage[1] % chunk.size
        data[at] ^= 0x5A
        path.write_bytes(data)
    try:
        with h5py.File(path) as file:
            read = {key: file[f"#refs#/{key}"][()].tolist() for key in ["image", "mask"]}
    except OSError:
        read = None
    files[name] = {"gzip": base64.b64encode(gzip.compress(bytes(data), 9, mtime=0)).decode(), "read": read}


make("plain.mat")
make("gzip.mat", chunks=True, compression="gzip")
make("checked.mat", chunks=True, fletcher32=True, shuffle=True)
for key in ["image", "mask"]:
    make(f"gzip_{key}.mat", (key, 10), chunks=True, compression="gzip")
    make(f"checked_{key}.mat", (key, 3), chunks=True, fletcher32=True)
make("lzf.mat", chunks=True, compression="lzf")
files["lzf.mat"]["read"] = None  # h5py has this filter, HDF5 has not
made = {"h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version, "files": files}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(made) + "\n")
