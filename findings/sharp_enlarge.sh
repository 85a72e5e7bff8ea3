#!/bin/sh
# sharp 0.35.5 enlarges a picture half a pixel of the result away from where Pillow 13.0.0 and PyTorch's models expect it.
#
# Guess: "linear" and "cubic" are Pillow's bilinear and bicubic to a level or two when enlarging, as they nearly are when shrinking;
#        the middle of the picture stays its middle, and a mirrored picture gives a mirrored result.
# Seen: of a ramp 10, 10, 50, 90, …, 210, 210 doubled, sharp's linear has 10, 30, 50, 70 where Pillow has 20, 40, 60, 80: half a
#       pixel to the right, and so down. At four times as large and at 1½ it is half a pixel of the result again. Mirror, enlarge,
#       mirror back is another picture. "lanczos3" gives the bytes of "cubic". Shrunk to half, linear is within a level of Pillow's
#       and symmetric.
# So:   small pictures (CIFAR's 32, thumbnails) for a model of 224 are not those of its Python processor, and masks enlarged by
#       "nearest" do not lie on them. Resize from raw pixels by the processor's own rule.
#
# Needs python3 with venv, node 20.9 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input pillow==13.0.0 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund sharp@0.35.5
py/bin/python - <<'PY'
import json
import numpy
from PIL import Image
row = [10, 10, 50, 90, 130, 170, 210, 210]
picture = Image.fromarray(numpy.array([row] * 8, "u1"))
kernels = {"linear": Image.Resampling.BILINEAR, "cubic": Image.Resampling.BICUBIC}
rows = {f"{name} {width}": numpy.array(picture.resize((width, 8), kernel))[4].tolist() for name, kernel in kernels.items() for width in [4, 12, 16, 32]}
json.dump({"row": row, "rows": rows}, open("pillow.json", "w"))
PY
cat >enlarge.mjs <<'JS'
import { readFileSync } from "node:fs";
import sharp from "sharp";
const { row, rows } = JSON.parse(readFileSync("pillow.json"));
const resize = async (from, kernel, width) => {
  const raw = { width: 8, height: 8, channels: 1 };
  const picture = sharp(Buffer.from(Array(8).fill(from).flat()), { raw }).resize(width, 8, { fit: "fill", kernel });
  return [...(await picture.extractChannel(0).raw().toBuffer()).subarray(4 * width, 5 * width)];
};
const apart = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));
const seen = {};
for (const width of [4, 12, 16, 32]) {
  const found = await resize(row, "linear", width), mirrored = await resize(row.toReversed(), "linear", width);
  // On the ramp's straight part a level is 1/40 of a pixel of the source.
  const middle = rows[`linear ${width}`].map((value, i) => value > 50 && value < 170 ? (value - found[i]) / 40 * (width / 8) : NaN);
  const shifts = middle.filter((shift) => !Number.isNaN(shift));
  seen[width] = {
    shift: shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length,
    mirror: apart(found, mirrored.toReversed()),
    same: apart(await resize(row, "lanczos3", width), await resize(row, "cubic", width)) === 0,
  };
  console.log(`linear to ${width}: sharp ${found}; Pillow ${rows[`linear ${width}`]}`, JSON.stringify(seen[width]));
}
console.log("cubic to 16: sharp", (await resize(row, "cubic", 16)).join(), "Pillow", rows["cubic 16"].join());
const holds = [12, 16, 32].every((width) => Math.abs(seen[width].shift - 0.5) < 0.05 && seen[width].mirror > 5 && seen[width].same) &&
  Math.abs(seen[4].shift) < 0.05 && seen[4].mirror <= 1;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node enlarge.mjs
