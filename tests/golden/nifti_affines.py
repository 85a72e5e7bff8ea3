"""Where nibabel says that voxels of NIfTI lie: python tests/golden/nifti_affines.py (nibabel 5, numpy 2)."""
import base64
import json
import pathlib
import tempfile

import nibabel
import numpy as np
from nibabel.quaternions import quat2mat

random, files = np.random.default_rng(3), []
root = pathlib.Path(tempfile.mkdtemp())
for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
    for form in ("sform", "qform", "none"):
        for endian in "<>":
            turn = quat2mat((quaternion := random.normal(size=4)) / np.linalg.norm(quaternion))
            if endian == ">":
                turn[:, 2] *= -1  # left-handed: qfac is -1
            affine = np.eye(4)
            affine[:3, :3] = turn * random.uniform(0.8, 3, 3)
            affine[:3, 3] = random.normal(0, 50, 3)
            image = kind(np.zeros((1, 1, 1), "f4"), None, kind.header_class(endianness=endian))
            image.set_sform(affine if form == "sform" else np.eye(4), int(form == "sform"))
            image.set_qform(affine if form == "qform" else np.eye(4), int(form == "qform"))
            path = root / f"{kind.__name__}_{form}_{'little' if endian == '<' else 'big'}.nii"
            image.to_filename(path)
            found = nibabel.load(path).affine[:3].ravel().tolist() if form != "none" else None
            files.append({"name": path.name, "base64": base64.b64encode(path.read_bytes()).decode(), "affine": found})
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(files, indent=1) + "\n")
