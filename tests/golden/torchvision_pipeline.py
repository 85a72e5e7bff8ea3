"""SHA-256 of photographs, masks and model inputs prepared with torchvision and numpy, for preprocess.ts to equal where a
file states torchvision's pipeline.

The geometry is torchvision's (Resize and CenterCrop of a Pillow image), the arithmetic that of transformers' image
processors: float32 after the scaling, then (x - mean) / std. The images are those of resize.py.
Run: python torchvision_pipeline.py (torchvision, Pillow up to 12, numpy); it writes torchvision_pipeline.json beside itself.
"""
import hashlib
import json
from pathlib import Path

import numpy as np
import torchvision
from PIL import Image
from resize import pixels
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import center_crop, resize

INTERPOLATION = {2: InterpolationMode.BILINEAR, 3: InterpolationMode.BICUBIC}
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

CLIP = {
    "do_resize": True, "size": {"shortest_edge": 56}, "resample": 3,
    "do_center_crop": True, "crop_size": {"height": 56, "width": 56},
    "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": CLIP_MEAN, "image_std": CLIP_STD,
}
DINO = {**CLIP, "size": {"shortest_edge": 64}, "image_mean": IMAGENET_MEAN, "image_std": IMAGENET_STD}
VIT = {
    "do_resize": True, "size": {"height": 48, "width": 40}, "resample": 2,
    "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
}
RAW = {"do_resize": False, "do_center_crop": True, "crop_size": 60, "do_rescale": False, "do_normalize": False}
SIZES = [(100, 75), (75, 101), (103, 56), (64, 64), (30, 20), (56, 57), (61, 59)]


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def geometry(image, config, interpolation):
    if config["do_resize"]:
        size = config["size"]
        to = size["shortest_edge"] if "shortest_edge" in size else [size["height"], size["width"]]
        image = resize(image, to, interpolation)
    if config.get("do_center_crop"):
        size = config["crop_size"]
        image = center_crop(image, size if isinstance(size, int) else [size["height"], size["width"]])
    return np.asarray(image)


def model_input(crop, config):
    values = crop.astype(np.float64)
    if config.get("do_rescale", True):
        values = values * config.get("rescale_factor", 1 / 255)
    values = values.astype(np.float32)
    if config["do_normalize"]:
        values = (values - np.float32(config["image_mean"])) / np.float32(config["image_std"])
    return values.astype("<f4").transpose(2, 0, 1)


def main():
    cases = []
    for name, config in [("clip", CLIP), ("dino", DINO), ("vit", VIT), ("raw", RAW)]:
        for width, height in SIZES:
            image = pixels(width, height)
            crop = geometry(Image.fromarray(image), config, INTERPOLATION[config.get("resample", 3)])
            mask = geometry(Image.fromarray(image[:, :, 2].copy()), config, InterpolationMode.NEAREST)
            cases.append({
                "config": name, "from": [width, height], "to": [crop.shape[1], crop.shape[0]],
                "crop": digest(crop), "mask": digest(mask), "input": digest(model_input(crop, config)),
            })
    out = {
        "torchvision": torchvision.__version__,
        "configs": {"clip": CLIP, "dino": DINO, "vit": VIT, "raw": RAW},
        "cases": cases,
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
