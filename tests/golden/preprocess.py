"""SHA-256 of what Hugging Face's image processors make of photographs, for preprocess.ts to equal.

The values are those of transformers 5 with its default backend (torchvision): what AutoImageProcessor gives today. The same
photographs go through transformers 5's Pillow backend and the slow and fast processors of 4.57, and `apart` has the largest
distance of each from the first, in levels of 255. The images are those of resize.py.

Run: python preprocess.py (transformers 5, torchvision, Pillow), with other releases' folders of packages in
OTHERS=folder[:folder…]; it writes preprocess.json beside itself. EfficientFormer is in none of transformers 5: its values
are those of 4.57 and Pillow 12.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import PIL
import torchvision
import transformers
from PIL import Image
from resize import pixels

CLASSES = "ViT DeiT Beit CLIP ChineseCLIP Siglip Bit DINOv3ViT ConvNext DPT Levit EfficientNet Perceiver Pvt MobileViT MobileNetV1 MobileNetV2 Segformer Blip OwlViT EfficientFormer"
SIZES = [(100, 75), (75, 101), (103, 56), (64, 64), (30, 20), (3, 2), (61, 59), (9, 40)]
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
EDGE, SQUARE, CROP = {"shortest_edge": 64}, {"height": 48, "width": 40}, {"height": 56, "width": 57}

# class, keys beside it; further ways of writing what the class knows
CONFIGS = [(name, {}) for name in CLASSES.split()] + [
    ("ViT", {"size": 48}),
    ("ViT", {"size": [48, 40], "resample": 3, "image_mean": CLIP_MEAN, "image_std": CLIP_STD}),
    ("ViT", {"size": EDGE, "do_center_crop": True, "crop_size": 56}),
    ("ViT", {"size": SQUARE, "do_rescale": False}),
    ("ViT", {"size": SQUARE, "do_normalize": False}),
    ("ViT", {"do_resize": False, "do_normalize": False, "do_rescale": False}),
    ("ViT", {"size": SQUARE, "do_rescale": None, "do_center_crop": None, "data_format": "channels_first"}),
    ("ViT", {"size": {"shortest_edge": 40, "longest_edge": 70}}),
    ("ViT", {"size": {"max_height": 60, "max_width": 50}}),
    ("ViT", {"size": SQUARE, "resample": 0}),
    ("DeiT", {"size": 64, "crop_size": 56}),
    ("DeiT", {"size": 64, "crop_size": [56, 57], "image_mean": CLIP_MEAN}),
    ("Beit", {"size": 64, "crop_size": 56, "do_center_crop": True}),
    ("Beit", {"size": 256, "do_center_crop": True}),
    ("CLIP", {"size": 56, "crop_size": 56}),
    ("CLIP", {"size": EDGE, "crop_size": CROP}),
    ("CLIP", {"size": {"shortest_edge": 40}, "crop_size": 57}),
    ("CLIP", {"size": SQUARE, "crop_size": 41}),
    ("CLIP", {"do_resize": False, "crop_size": 60}),
    ("CLIP", {"size": EDGE, "do_center_crop": False, "rescale_factor": 1 / 127.5, "resample": 2}),
    ("ChineseCLIP", {"size": SQUARE, "crop_size": 40}),
    ("Siglip", {"size": 56}),
    ("Bit", {"size": EDGE, "crop_size": 56}),
    ("Bit", {"size": 64, "crop_size": 57, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}),
    ("DINOv3ViT", {"size": SQUARE}),
    ("ConvNext", {"size": 56, "resample": 3}),
    ("ConvNext", {"size": {"shortest_edge": 60}, "crop_pct": 0.95, "resample": 3}),
    ("ConvNext", {"size": {"shortest_edge": 400}, "resample": 2}),
    ("DPT", {"size": 56, "keep_aspect_ratio": True, "ensure_multiple_of": 14}),
    ("DPT", {"size": SQUARE, "keep_aspect_ratio": True, "ensure_multiple_of": 4}),
    ("DPT", {"size": 60, "ensure_multiple_of": 14}),
    ("Levit", {"size": 56, "crop_size": 56}),
    ("Levit", {"size": SQUARE, "crop_size": 40}),
    ("EfficientNet", {"size": 56, "rescale_offset": True, "rescale_factor": 1 / 127.5, "resample": 3}),
    ("EfficientNet", {"size": 56, "include_top": False, "resample": 0}),
    ("EfficientNet", {"size": 56, "rescale_offset": True, "do_normalize": False, "include_top": False, "resample": 2}),
    ("EfficientNet", {"size": 300, "do_center_crop": True, "resample": 2}),
    ("EfficientNet", {"size": 56, "rescale_offset": True, "do_rescale": False, "resample": 2}),
    ("Perceiver", {"size": 56, "crop_size": 64}),
    ("Perceiver", {"size": SQUARE, "crop_size": {"height": 60, "width": 44}}),
    ("Pvt", {"size": 56, "resample": 2}),
    ("MobileViT", {"size": 56, "crop_size": 64, "resample": 2}),
    ("MobileViT", {"size": 56, "crop_size": 56, "do_flip_channel_order": False, "resample": 3}),
    ("MobileNetV1", {"size": 64, "crop_size": 56}),
    ("MobileNetV2", {"size": 64, "crop_size": 56}),
    ("Segformer", {"size": SQUARE}),
    ("Blip", {"size": 56}),
    ("OwlViT", {"size": 56, "do_normalize": True}),
    ("EfficientFormer", {"size": {"height": 60, "width": 64}, "crop_size": 56}),
]
FORMER = "EfficientFormer"
SLOW = {"return_tensors": "np", "input_data_format": "channels_last"}
FAST = {"return_tensors": "pt"}


def processor(name, keys, kind):
    if name == FORMER:
        from transformers.models.deprecated.efficientformer import image_processing_efficientformer as module
        return module.EfficientFormerImageProcessor(**keys)
    if name == "DINOv3ViT" and kind in ("slow", "pil"):
        raise AttributeError("none")
    return getattr(transformers, f"{name}ImageProcessor" + {"pil": "Pil", "fast": "Fast"}.get(kind, ""))(**keys)


def values(kind):
    """float32 of every config and size as npz entries `config size`; those that this release refuses are left out."""
    found, refused = {}, {}
    for c, (name, keys) in enumerate(CONFIGS):
        defaults = not keys and name not in ("ViT", "DeiT")
        for s, (width, height) in enumerate(SIZES):
            if defaults and s > 1:
                continue
            image = Image.fromarray(pixels(width, height))
            try:
                made = processor(name, keys, kind)(image, **(SLOW if kind == "slow" or name == FORMER else FAST))
            except Exception as error:
                refused.setdefault(f"{name} {json.dumps(keys)}", str(error)[:90].split("\n")[0])
                continue
            found[f"{c} {s}"] = np.asarray(made["pixel_values"][0], dtype=np.float32)
    return found, refused


def versions():
    return {"transformers": transformers.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__}


def other(kind, packages, folder):
    path = f"{folder}/{kind}.npz"
    env = {**os.environ, "PYTHONPATH": packages}
    subprocess.run([sys.executable, __file__, kind, path], env=env, check=True, stderr=subprocess.DEVNULL)
    loaded = np.load(path, allow_pickle=True)
    return {key: loaded[key] for key in loaded.files if key != "about"}, json.loads(str(loaded["about"]))


def levels(name, keys, value):
    """One level of 255, in the units of the values."""
    made = processor(name, keys, "default")
    factor = made.rescale_factor if made.do_rescale else 1
    std = np.float64(made.image_std).max() if made.do_normalize else 1
    return factor / std


def main():
    folders = [folder for folder in os.environ.get("OTHERS", "").split(":") if folder]
    mine, refused = values("default")
    apart = {}
    with tempfile.TemporaryDirectory() as folder:
        packages = ":".join(folders)
        four, pillow12 = folders[0], folders[1]
        runs = {
            "transformers 5, Pillow backend": other("pil", "", folder),
            "transformers 4.57, fast": other("fast", four, folder),
            "transformers 4.57, slow": other("slow", four, folder),
            "transformers 4.57, slow, Pillow 12": other("slow", packages, folder),
        }
        former, about = runs["transformers 4.57, slow, Pillow 12"]
        for key, value in former.items():
            if CONFIGS[int(key.split()[0])][0] == FORMER:
                mine[key] = value
        for run, (found, about) in runs.items():
            apart[run] = {"versions": about["versions"], "classes": {}}
            for key, value in mine.items():
                c, s = map(int, key.split())
                name, keys = CONFIGS[c]
                if not keys:
                    continue  # 4.57 has other defaults
                entry = apart[run]["classes"].setdefault(name, {"most": 0, "share": 0, "none": []})
                if key not in found:
                    if (text := json.dumps(keys)) not in entry["none"]:
                        entry["none"].append(text)
                elif found[key].shape != value.shape:
                    entry["shape"] = f"{json.dumps(keys)} {SIZES[s]}: {found[key].shape} for {value.shape}"
                elif name != FORMER:
                    away = np.abs(np.float64(found[key]) - value) / levels(name, keys, value)
                    if away.max() > entry["most"]:
                        entry.update(most=round(float(away.max()), 2), at=f"{json.dumps(keys)} {SIZES[s]}")
                    share = round(float((away > 0.01).mean()), 3)
                    entry["share"] = max(entry["share"], share)
                    if away.max() > 2.2:
                        entry.setdefault("far", []).append([json.dumps(keys), SIZES[s], round(float(away.max()), 2), share])
    cases = []
    for key, value in sorted(mine.items(), key=lambda entry: [*map(int, entry[0].split())]):
        c, s = map(int, key.split())
        digest = hashlib.sha256(np.ascontiguousarray(value, "<f4").tobytes()).hexdigest()
        case = {"config": c, "from": SIZES[s], "to": value.shape[:0:-1], "sha256": digest}
        if CONFIGS[c][0] == "DINOv3ViT":  # resized as floats, so not to the bit
            case["values"] = [round(float(v), 5) for v in value.ravel()[::97]]
        cases.append(case)
    configs = [{"image_processor_type": f"{name}ImageProcessor", **keys} for name, keys in CONFIGS]
    print(json.dumps({"refused": refused, "apart": apart}, indent=1))
    out = {"versions": versions(), "configs": configs, "cases": cases}
    Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        kind, path = sys.argv[1:]
        found, refused = values(kind)
        np.savez(path, about=json.dumps({"versions": versions(), "refused": refused}), **found)
    else:
        main()
