"""Writes arrays.json: .npy and .npz files as NumPy writes them, with their values. python tests/golden/arrays.py"""

import base64
import io
import json
import pathlib
import zipfile

import numpy as np

VALUES = np.array([[0, 1, 2.5], [-3, 4, 100], [7, 0.125, -0.5], [1, 1, 0]])
KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]
files = {}


def add(name, data, values, shape=None):
    values = np.asarray(values)
    shape = values.shape if shape is None else shape
    files[name] = {
        "base64": base64.b64encode(data).decode(),
        "shape": list(shape),
        "values": np.asarray(values, dtype="f8").ravel().tolist(),
    }


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive(write, **arrays):
    file = io.BytesIO()
    write(file, **arrays)
    return file.getvalue()


for kind in KINDS:
    values = np.abs(VALUES) if kind[0] == "u" else VALUES
    for order in "<>":
        array = values.astype(np.dtype(order + kind))
        add(f"{order}{kind}", saved(array), array)
        add(f"{order}{kind} fortran", saved(np.asfortranarray(array)), array)
# What other writers put before types of one byte, and what NumPy never writes for itself.
for descr in ["<u1", ">u1", "=u1", "<b1", "<i1", "=f4", "f4"]:
    kind = descr.lstrip("<>=")
    values = (np.abs(VALUES) if kind == "u1" else VALUES).astype(np.dtype(kind))
    plain = saved(values)
    length = int.from_bytes(plain[8:10], "little")
    header = plain[10 : 10 + length].decode().replace(f"'{values.dtype.str}'", f"'{descr}'")
    header = header.rstrip("\n").rstrip().ljust(length - 1)[: length - 1] + "\n"
    add(f"header {descr}", plain[:10] + header.encode() + plain[10 + length :], values)
cube = np.arange(24).reshape(2, 3, 4).astype(">i2")
add(">i2 cube fortran", saved(np.asfortranarray(cube)), cube)

archives = {
    "stored": archive(np.savez, x=VALUES),
    "deflated": archive(np.savez_compressed, x=VALUES.astype("f4")),
    "unnamed": archive(lambda file, **some: np.savez(file, *some.values()), x=np.asfortranarray(VALUES)),
    "big-endian": archive(np.savez_compressed, x=VALUES.astype(">f4")),
    "several": archive(np.savez, other=np.zeros(2), several=VALUES),
}
for force in [False, True]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.comment = b"made by zipfile"
        with zipped.open("x.npy", "w", force_zip64=force) as member:
            member.write(saved(VALUES))
    archives["zip64" if force else "zip32"] = file.getvalue()
for name, data in archives.items():
    add(f"{name}.npz", data, VALUES)

made = {"numpy": np.__version__, "files": files}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(made) + "\n")
