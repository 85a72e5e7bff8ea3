"""SHA-256 of images resized by Pillow, for the toolkit's own resizing to equal byte for byte.

The images follow a closed formula in whole numbers, so that the test makes the same and only the digests are stored.
Run: python resize.py (Pillow up to 12, numpy); it writes resize.json beside itself. Pillow 13 resizes the rows first
where an image grows wider and lower, which rounds differently; every release before it resizes the columns first.
"""
import hashlib
import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# from width, height, to width, height
SIZES = [
    (64, 48, 32, 24),
    (37, 53, 16, 16),
    (500, 375, 298, 224),
    (375, 500, 224, 298),
    (20, 30, 47, 61),
    (61, 17, 61, 40),
    (40, 31, 13, 31),
    (1, 1, 5, 7),
    (9, 1, 4, 3),
    (33, 29, 1, 1),
    (5, 200, 100, 3),
    (24, 24, 24, 24),
    (1001, 7, 224, 8),
    (300, 400, 250, 240),
    (333, 111, 90, 30),
]


def pixels(width, height):
    """Smooth ramps, saturated edges that overshoot, and noise: one channel each, in whole numbers below 2^31."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    red = (7 * x + 13 * y) % 256
    green = np.where((x // 3 + y // 5) % 2 == 0, 0, 255)
    blue = (x * 7919 + y * 104729 + (x * y) % 251 * 31) % 65521 % 256
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


def main():
    cases = []
    for from_width, from_height, width, height in SIZES:
        image = Image.fromarray(pixels(from_width, from_height))
        for name, resample in FILTERS.items():
            data = image.resize((width, height), resample).tobytes()
            digest = hashlib.sha256(data).hexdigest()
            cases.append({"from": [from_width, from_height], "to": [width, height], "filter": name, "sha256": digest})
        mask = Image.fromarray(pixels(from_width, from_height)[:, :, 2])
        digest = hashlib.sha256(mask.resize((width, height), Image.Resampling.NEAREST).tobytes()).hexdigest()
        cases.append({"from": [from_width, from_height], "to": [width, height], "filter": "nearest", "sha256": digest})
    out = {"pillow": PIL.__version__, "cases": cases}
    Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
