"""The Natural Scenes Dataset in small, one subject, in the layouts of its release, and the same as Algonauts 2023 has it.

Run as `python3 tests/golden/nsd.py` (h5py 3.16.0, nibabel 5.4.2, numpy 2.4.6, scipy 1.17.1): writes tests/golden/nsd.json,
files by path, deflated, as base64. The expected numbers are of scipy.stats.zscore and numpy, and of nothing of this project.

Sessions 1, 2, 3 and 5 of 40 are there, of 6 trials each. Five folders hold the same betas:
  subj03/func1pt8mm/betas_hdf5     int16, 300 x percent, as MATLAB writes it: one chunk a voxel
  subj03/func1pt8mm/betas_bytrial  the same, chunks of trials
  subj03/func1pt8mm/betas_nifti    int16 .nii.gz, one session as .nii, one in two gzip members
  subj03/fsaverage/betas_mgh       float32 .mgh and .mgz, percent
  subj03/nativesurface/betas_hdf5  int16, one chunk a vertex
The volume's voxels in ascending order are the vertices of the surfaces, hemisphere by hemisphere.
"""
import base64, gzip, json, pathlib, tempfile, zlib
import h5py, nibabel, numpy as np, scipy.io, scipy.stats

TRIALS, SESSIONS, IMAGES, SHARED = 6, [1, 2, 3, 5], 80, 9
SIZE = (5, 4, 3)
rng = np.random.default_rng(0)

# Which image each trial shows: 40 sessions, three trials an image; 8 subjects; 90 images in imgBrick.
# The first five sessions show thirteen images, four of them shared, so that some are seen twice or three times.
early = rng.permutation(np.repeat(np.concatenate([np.arange(4), np.arange(SHARED, SHARED + 9)]), 3))
late = rng.permutation(np.setdiff1d(np.arange(IMAGES * 3), np.arange(IMAGES * 3)[np.isin(np.arange(IMAGES * 3) // 3, early)]) // 3)
order = np.concatenate([early, late])
shared = np.sort(rng.choice(90, SHARED, replace=False))
others = np.setdiff1d(np.arange(90), shared)
subjectim = np.stack([np.concatenate([shared, rng.permutation(others)[: IMAGES - SHARED]]) for _ in range(8)])
SUBJECT = 3
image_of_trial = subjectim[SUBJECT - 1, order]

# Labels in the volume: -1 outside of cortex; the left hemisphere at small x, one voxel in both.
side = np.zeros(SIZE, int)
side[:2], side[3:] = 1, 2
CLASSES = {
    "prf-visualrois": ["Unknown", "V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"],
    "floc-faces": ["Unknown", "OFA", "FFA-1", "FFA-2", "mTL-faces", "aTL-faces"],
    "Kastner2015": ["Unknown", "V1v", "V1d", "VO1"],
    "nsdgeneral": None,
}
masks = {}
for roi_class, names in CLASSES.items():
    used = {"prf-visualrois": [0, 1, 2, 7], "floc-faces": [0, 0, 1, 2, 3], "Kastner2015": [0, 1, 3]}.get(roi_class, [0, 1])
    labels = rng.choice(used, SIZE)
    for name, number in (("lh", 1), ("rh", 2)):
        masks[roi_class, name] = np.where(side == number, labels, -1)
masks["prf-visualrois", "lh"][2, 1, 1] = 1
masks["prf-visualrois", "rh"][2, 1, 1] = 2
union = {
    name: np.any([masks[roi_class, name] > 0 for roi_class in CLASSES], axis=0).flatten(order="F") for name in ("lh", "rh")
}
union["rh"] &= ~union["lh"]
VOXELS = {name: np.flatnonzero(union[name]) for name in ("lh", "rh")}
both = np.concatenate([VOXELS["lh"], VOXELS["rh"]])

ncsnr = rng.uniform(0, 2, np.prod(SIZE)).astype(np.float32)
ncsnr[VOXELS["lh"][4]] = np.nan
betas = {s: np.round(rng.normal(1, 2, (TRIALS, np.prod(SIZE))) * 300).astype(np.int16) for s in SESSIONS}
betas[3][:, VOXELS["rh"][2]] = 0  # not measured
betas[5][:, both] += 600  # sessions differ in their level

files: dict[str, bytes] = {}
root = pathlib.Path(tempfile.mkdtemp())


def save(path, write):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    write(str(target))
    content = target.read_bytes()
    if path.endswith(("gz", "mgz")):
        content = gzip.compress(gzip.decompress(content), mtime=0)  # no date, so that the same comes out twice
    if path.endswith(".mat"):
        content = b"MATLAB 5.0 MAT-file, by scipy".ljust(116) + content[116:]
    files[path] = content


def nifti(data, kind=nibabel.Nifti1Image):
    return lambda path: nibabel.save(kind(data, np.eye(4)), path)


def mgh(data):
    return lambda path: nibabel.save(nibabel.MGHImage(data, np.eye(4)), path)


def hdf5(name, data, chunks):
    def write(path):
        with h5py.File(path, "w") as file:
            file.create_dataset(name, data=data, chunks=chunks)
    return write


def volume(values):
    return values.reshape(SIZE, order="F")


BETAS, LABELS = "nsddata_betas/ppdata/subj03", "nsddata/freesurfer"
for session in SESSIONS:
    name = f"betas_session{session:02d}"
    in_c = betas[session].reshape((TRIALS, *SIZE[::-1]))  # as HDF5 sees MATLAB's x, y, z, trials
    in_f = np.stack([volume(trial) for trial in betas[session]], axis=-1)
    save(f"{BETAS}/func1pt8mm/betas_hdf5/{name}.hdf5", hdf5("betas", in_c, (TRIALS, 1, 1, 1)))
    save(f"{BETAS}/func1pt8mm/betas_bytrial/{name}.hdf5", hdf5("betas", in_c, (1, *SIZE[::-1])))
    ending = ".nii" if session == 2 else ".nii.gz"
    save(f"{BETAS}/func1pt8mm/betas_nifti/{name}{ending}", nifti(in_f))
    for side_name in ("lh", "rh"):
        own = betas[session][:, VOXELS[side_name]]
        percent = (own.T[:, None, None, :] / 300).astype(np.float32)
        ending = ".mgz" if session == 2 else ".mgh"
        save(f"{BETAS}/fsaverage/betas_mgh/{side_name}.{name}{ending}", mgh(percent))
        save(f"{BETAS}/nativesurface/betas_hdf5/{side_name}.{name}.hdf5", hdf5("betas", own, (TRIALS, 1)))
two = f"{BETAS}/func1pt8mm/betas_nifti/betas_session05.nii.gz"
plain = gzip.decompress(files[two])
files[two] = gzip.compress(plain[:500], mtime=0) + gzip.compress(plain[500:], mtime=0)

for version in ("betas_hdf5", "betas_bytrial", "betas_nifti"):
    save(f"{BETAS}/func1pt8mm/{version}/ncsnr.nii.gz", nifti(volume(ncsnr)))
for name in ("lh", "rh"):
    for folder in ("fsaverage/betas_mgh", "nativesurface/betas_hdf5"):
        save(f"{BETAS}/{folder}/{name}.ncsnr.mgh", mgh(ncsnr[VOXELS[name]][:, None, None]))
    for roi_class in CLASSES:
        mask = masks[roi_class, name]
        if (name, roi_class) == ("rh", "prf-visualrois"):
            kind = nibabel.Nifti2Image
        else:
            kind = nibabel.Nifti1Image
        save(f"nsddata/ppdata/subj03/func1pt8mm/roi/{name}.{roi_class}.nii.gz", nifti(mask.astype(np.float32), kind))
        # On the surfaces a voxel of both hemispheres is only in one.
        on_surface = mask.flatten(order="F")[VOXELS[name]].astype(np.int32)[:, None, None]
        save(f"{LABELS}/subj03/label/{name}.{roi_class}.mgz", mgh(on_surface))
        save(f"{LABELS}/fsaverage/label/{name}.{roi_class}.mgz", mgh(on_surface))
for roi_class, names in CLASSES.items():
    if names:
        table = "".join(f"{value} {name}\n" for value, name in enumerate(names)).encode()
        files[f"{LABELS}/{'fsaverage' if roi_class == 'Kastner2015' else 'subj03'}/label/{roi_class}.mgz.ctab"] = table

design = {
    "masterordering": (order + 1)[None].astype(float),
    "subjectim": (subjectim + 1).astype(float),
    "sharedix": (shared + 1)[None].astype(float),
    "stimpattern": np.zeros((2, 3, 4)),
    "basiccnt": np.zeros((3, 40), np.uint8),
}
save("nsddata/experiments/nsd/nsd_expdesign.mat", lambda path: scipy.io.savemat(path, design, do_compression=True))
rows = ["," + ",".join(["cocoId", "cropBox", "nsdId", "shared1000"] + [f"subject{s}_rep{r}" for s in range(1, 9) for r in range(3)])]
for image in range(90):
    trials = []
    for subject in range(8):
        seen = np.flatnonzero(subjectim[subject, order] == image) + 1
        trials += [*seen, *[0] * (3 - len(seen))]
    rows.append(f'{image},{1000 + image},"(0, 0, 0.1, 0.2)",{image},{image in shared},' + ",".join(map(str, trials)))
files["nsddata/experiments/nsd/nsd_stim_info_merged.csv"] = "\n".join(rows).encode() + b"\n"

pixels = rng.integers(0, 256, (90, 5, 4, 3), dtype=np.uint8)
save("nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5", hdf5("imgBrick", pixels, (1, 5, 4, 3)))

# What stands before the pixels of an imgBrick as large as the release's, stored as one piece (39.6 GB, hardly any of it written).
large = root / "large.hdf5"
plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
with h5py.File(large, "w") as file:
    space = h5py.h5s.create_simple((73000, 425, 425, 3))
    dataset = h5py.Dataset(h5py.h5d.create(file.id, b"imgBrick", h5py.h5t.STD_U8LE, space, plan))
    dataset[72999] = 1
    offset = dataset.id.get_offset()
with open(large, "rb") as file:
    header = file.read(offset)
large_brick = {"header": base64.b64encode(zlib.compress(header, 9)).decode(), "bytes": large.stat().st_size}
large.unlink()

# The same as Algonauts 2023 has it.
seen = np.concatenate([image_of_trial[(s - 1) * TRIALS : s * TRIALS] for s in SESSIONS])
zscored = np.concatenate([scipy.stats.zscore(betas[s][:, both].astype(float) / 300, axis=0) for s in SESSIONS])
splits = {
    "training": [i for i in np.unique(seen) if i not in shared],
    "test": [i for i in np.unique(seen) if i in shared],
}
ours = {
    split: np.stack([zscored[seen == image].mean(axis=0) for image in images]).astype(np.float32)
    for split, images in splits.items()
}
noise = np.mean([1 / np.sum(seen == image) for image in splits["test"]])
ceiling = ncsnr[both].astype(float) ** 2 / (ncsnr[both].astype(float) ** 2 + noise)
lh = len(VOXELS["lh"])


def npy(array):
    return lambda path: np.save(path, array)


for split, images in splits.items():
    folder = f"algonauts/{split}_split"
    for name, part in (("lh", slice(0, lh)), ("rh", slice(lh, None))):
        save(f"{folder}/{split}_fmri/{name}_{split}_fmri.npy", npy(ours[split][:, part]))
for name, part in (("lh", slice(0, lh)), ("rh", slice(lh, None))):
    save(f"algonauts/test_split/noise_ceiling/{name}_noise_ceiling.npy", npy(ceiling[part]))
    for roi_class, names in CLASSES.items():
        flat = np.maximum(masks[roi_class, name].flatten(order="F")[VOXELS[name]], 0)
        save(f"algonauts/roi_masks/{name}.{roi_class}_challenge_space.npy", npy(flat.astype(np.int64)))
for roi_class, names in CLASSES.items():
    mapping = dict(enumerate(names or ["Unknown", "nsdgeneral"]))
    save(f"algonauts/roi_masks/mapping_{roi_class}.npy", npy(mapping))

golden = {
    "files": {path: base64.b64encode(zlib.compress(content, 9)).decode() for path, content in sorted(files.items())},
    "images": {split: [int(i) for i in images] for split, images in splits.items()},
    "pixels": {str(i): pixels[i].flatten().tolist() for i in (splits["training"][0], splits["test"][-1])},
    "voxels": {name: own.tolist() for name, own in VOXELS.items()},
    "noise": float(noise),
    "large_brick": large_brick,
}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
