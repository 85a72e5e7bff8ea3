"""NIfTI, MGH and MATLAB 5 files of every type and order, with their values: tests/golden/volumes.json.

Run as `python3 tests/golden/volumes.py` (nibabel 5.4.2, numpy 2.4.6, scipy 1.17.1).
"""
import base64, gzip, json, pathlib, tempfile
import nibabel, numpy as np, scipy.io

SIZE, FRAMES = (3, 4, 2), 3
rng = np.random.default_rng(1)
root = pathlib.Path(tempfile.mkdtemp())
files = []


def add(name, values, write):
    """values: frames x values, x varying fastest."""
    write(str(root / name))
    content = (root / name).read_bytes()
    if name.endswith(("gz", "mgz")):
        content = gzip.compress(gzip.decompress(content), mtime=0)
    files.append({"name": name, "base64": base64.b64encode(content).decode(), "values": np.asarray(values, "f8").tolist()})


def flat(data):
    data = data if data.ndim == 4 else data[..., None]
    return [data[..., frame].flatten(order="F").astype("f8") for frame in range(data.shape[-1])]


def random(kind):
    data = rng.integers(0, 100, (*SIZE, FRAMES)) - (0 if kind[0] == "u" else 50)
    return (data + (0.25 if kind[0] == "f" else 0)).astype(kind)


for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"):
    for image, ending in ((nibabel.Nifti1Image, ".nii"), (nibabel.Nifti2Image, ".nii.gz")):
        data = random(kind)
        add(f"{image.__name__}_{kind}{ending}", flat(data), lambda path: nibabel.save(image(data, np.eye(4), dtype=data.dtype), path))
big = nibabel.Nifti1Header(endianness=">")
big.set_data_dtype(">i2")
data = random("i2").astype(">i2")
add("big_endian.nii.gz", flat(data), lambda path: nibabel.save(nibabel.Nifti1Image(data, np.eye(4), big), path))
big2 = nibabel.Nifti2Header(endianness=">")
big2.set_data_dtype(">f4")
data4 = random("f4").astype(">f4")
add("big_endian_2.nii", flat(data4), lambda path: nibabel.save(nibabel.Nifti2Image(data4, np.eye(4), big2), path))


def scaled(path):
    image = nibabel.Nifti1Image(random("i2"), np.eye(4))
    image.header.set_slope_inter(0.5, -3)
    nibabel.save(image, path)
    extension = nibabel.nifti1.Nifti1Extension("comment", b"an extension moves the values")
    again = nibabel.load(path)
    again.header.extensions.append(extension)
    nibabel.save(again, path.replace("scaled", "extended"))


scaled(str(root / "scaled.nii.gz"))
for name in ("scaled.nii.gz", "extended.nii.gz"):
    add(name, flat(nibabel.load(root / name).get_fdata()), lambda path: None)
one = random("f4")[..., 0]
add("one_frame.nii", flat(one), lambda path: nibabel.save(nibabel.Nifti1Image(one, np.eye(4)), path))
for kind, ending in (("u1", ".mgh"), ("i4", ".mgz"), ("f4", ".mgz"), ("i2", ".mgh")):
    volume = random(kind)
    add(f"mgh_{kind}{ending}", flat(volume), lambda path: nibabel.save(nibabel.MGHImage(volume, np.eye(4)), path))
surface = rng.normal(size=(7, 1, 1, 2)).astype("f4")
surface[3, 0, 0, 1] = np.nan
add("surface.mgh", np.nan_to_num(flat(surface), nan=-999), lambda path: nibabel.save(nibabel.MGHImage(surface, np.eye(4)), path))

# Refused: complex numbers, colors, half of a pair.
refused = {}
for name, image in {
    "complex.nii": nibabel.Nifti1Image(np.ones(SIZE, "c8"), np.eye(4)),
    "colors.nii.gz": nibabel.Nifti1Image(np.zeros(SIZE, [("R", "u1"), ("G", "u1"), ("B", "u1")]), np.eye(4)),
}.items():
    nibabel.save(image, root / name)
    content = (root / name).read_bytes()
    refused[name] = base64.b64encode(gzip.compress(gzip.decompress(content), mtime=0) if name.endswith("gz") else content).decode()
nibabel.save(nibabel.Nifti1Pair(one, np.eye(4)), root / "pair.hdr")
refused["pair.nii"] = base64.b64encode((root / "pair.hdr").read_bytes()).decode()

arrays = {
    "double": rng.normal(size=(2, 3)),
    "whole": np.arange(12.0)[None] + 70000,  # doubles that MATLAB and scipy may store as integers
    "single": rng.normal(size=(3, 1)).astype("f4"),
    "cube": rng.integers(0, 9, (2, 3, 4)).astype("f8"),
    "small": np.array([[7]], "u1"),
    "empty": np.zeros((0, 3)),
    "a_name_of_many_letters": np.array([[-1, 2**40]], "i8"),
    **{f"of_{kind}": rng.integers(0, 100, (2, 2)).astype(kind) for kind in ("i1", "i2", "u2", "i4", "u4", "u8")},
}
others = {"text": "é", "struct": {"a": 1.0}, "cell": np.array([1, "b"], object), "complex": np.array([1 + 2j])}
matlab = {}
for name, pressed in (("plain", False), ("compressed", True)):
    scipy.io.savemat(root / "m.mat", {**others, **arrays}, do_compression=pressed)
    content = (root / "m.mat").read_bytes()
    matlab[name] = base64.b64encode(b"MATLAB 5.0 MAT-file, by scipy".ljust(116) + content[116:]).decode()
golden = {
    **{"files": files, "refused": refused, "matlab": matlab, "size": SIZE},
    "arrays": {name: {"shape": list(a.shape), "values": a.flatten(order="F").astype("f8").tolist()} for name, a in arrays.items()},
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
