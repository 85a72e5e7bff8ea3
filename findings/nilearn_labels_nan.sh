#!/bin/sh
# nilearn 0.14.1: NiftiLabelsMasker writes zeros over the NaNs of the caller's own array.
#
# Guess: transform() reads its image. Voxels of NaN are left out of a region's mean, or spoil it.
# Seen: the mean takes them as 0, and afterwards the array behind the image holds 0 where it held NaN; the next count of missing
#       voxels says none. NiftiMapsMasker and NiftiSpheresMasker do the same; NiftiMasker and smooth_img() leave the array alone. Of
#       the same image read from a file nothing is changed.
# So:   a voxel that was not measured pulls its region's mean to 0, and what runs later in the same script takes it for a measured 0.
#       Set the missing voxels' labels to 0 before, and give a copy.
#
# Needs python3 with venv; about 500 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input nilearn==0.14.1 nibabel==5.4.2 scipy==1.17.1 numpy==2.4.6
cat >labels.py <<'PY'
import sys
import nibabel
import numpy
from nilearn.image import smooth_img
from nilearn.maskers import NiftiLabelsMasker, NiftiMapsMasker, NiftiMasker, NiftiSpheresMasker

affine = numpy.diag([2.0, 2, 2, 1])
regions = numpy.zeros((10, 10, 10), "i2")
regions[:2] = 1
labels = nibabel.Nifti1Image(regions, affine)
everywhere = nibabel.Nifti1Image(numpy.ones((10, 10, 10), "u1"), affine)
maps = nibabel.Nifti1Image(numpy.random.default_rng(0).random((10, 10, 10, 2)).astype("f4"), affine)


def responses():
    array = numpy.full((10, 10, 10, 5), 4, "f4")
    array[0, :5] = numpy.nan  # 50 of the 200 voxels of region 1
    return array


calls = {
    "NiftiLabelsMasker": lambda image: NiftiLabelsMasker(labels, standardize=False).fit_transform(image),
    "NiftiMapsMasker": lambda image: NiftiMapsMasker(maps, standardize=False).fit_transform(image),
    "NiftiSpheresMasker": lambda image: NiftiSpheresMasker([(10, 10, 10)], radius=5, standardize=False).fit_transform(image),
    "NiftiMasker": lambda image: NiftiMasker(everywhere, standardize=False).fit_transform(image),
    "smooth_img": lambda image: smooth_img(image, 4),
}
left = {}
for name, call in calls.items():
    array = responses()
    answer = call(nibabel.Nifti1Image(array, affine))
    left[name] = int(numpy.isnan(array).sum())
    print(f"{name}: {left[name]} of 250 NaNs left", f"mean of region 1: {answer[0]}" if name == "NiftiLabelsMasker" else "")
    if name == "NiftiLabelsMasker":
        mean = float(numpy.ravel(answer)[0])
nibabel.save(nibabel.Nifti1Image(responses(), affine), "responses.nii")
file = nibabel.load("responses.nii")
calls["NiftiLabelsMasker"](file)
of_file = int(numpy.isnan(file.get_fdata()).sum())
print("of a file:", of_file)
holds = list(left.values()) == [0, 0, 0, 250, 250] and of_file == 250 and abs(mean - 3) < 1e-6
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
py/bin/python -W ignore labels.py
