#!/bin/sh
# nilearn 0.14.1 on nibabel 5.4.2: floats made from an int16 image (smoothed, averaged, new_img_like) are saved as int16, without their NaNs.
#
# Guess: the array decides: float32 in memory is float32 in the file, and NaN stays NaN.
# Seen: new_img_like(image, array) keeps the image's header by default, and smooth_img(), mean_img() and resample_img() do as well:
#       the array is float32 or float64, the file int16. Of a map of 1000, 0.001, NaN and −0.25 the file holds 1000, −0.0058, −0.0058
#       and −0.25: steps of 0.015, and the NaN is the number nearest 0. In memory, get_fdata() shows none of it. math_img() and
#       NiftiMasker's inverse_transform() write floats.
# So:   betas, r and p of a scanner's usual int16 images lose their small values, and voxels that were left out become measured. Call
#       set_data_dtype("float32") before saving, or copy_header=False.
#
# Needs python3 with venv; about 500 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input nilearn==0.14.1 nibabel==5.4.2 scipy==1.17.1 numpy==2.4.6
cat >save.py <<'PY'
import sys
import nibabel
import numpy
from nilearn.image import math_img, mean_img, new_img_like, resample_img, smooth_img
from nilearn.maskers import NiftiMasker

affine = numpy.diag([2.0, 2, 2, 1])
scans = numpy.random.default_rng(0).integers(500, 1500, size=(6, 6, 6, 8)).astype("i2")
bold = nibabel.Nifti1Image(scans, affine)
mask = nibabel.Nifti1Image(numpy.ones((6, 6, 6), "i2"), affine)
values = numpy.zeros((6, 6, 6), "f4")
values[0, 0, :4] = [1000, 0.001, numpy.nan, -0.25]


def saved(image):
    nibabel.save(image, "saved.nii")
    file = nibabel.load("saved.nii")
    return str(numpy.asanyarray(image.dataobj).dtype), str(file.get_data_dtype()), file.get_fdata()


images = {
    "new_img_like": new_img_like(mask, values),
    "smooth_img": smooth_img(bold, 4),
    "mean_img": mean_img(bold),
    "resample_img": resample_img(bold, numpy.eye(3) * 3),
    "without header": new_img_like(mask, values, copy_header=False),
    "math_img": math_img("image / 3", image=bold),
    "inverse_transform": NiftiMasker(mask, standardize=False).fit().inverse_transform(numpy.ones(216, "f4") / 3),
}
seen = {name: saved(image) for name, image in images.items()}
for name, (memory, file, _) in seen.items():
    print(f"{name}: {memory} in memory, {file} in the file")
of_map, of_plain = (seen[name][2][0, 0, :4] for name in ["new_img_like", "without header"])
print("map saved:", of_map, "without header:", of_plain, "in memory:", images["new_img_like"].get_fdata()[0, 0, :4])
holds = all(memory.startswith("float") for memory, _, _ in seen.values())
holds = holds and [file for _, file, _ in seen.values()] == ["int16"] * 4 + ["float32", "float64", "float32"]
holds = holds and 0 < abs(of_map[2]) < 0.02 and of_map[1] == of_map[2] and numpy.isnan(of_plain[2]) and abs(of_plain[1] - 0.001) < 1e-6
holds = holds and numpy.isnan(images["new_img_like"].get_fdata()[0, 0, 2])
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore save.py
