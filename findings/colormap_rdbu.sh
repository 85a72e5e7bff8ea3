#!/bin/sh
# colormap 2.3.2 (npm): "rdbu" runs from blue to red, and "cool" from violet to green; viridis is nearly matplotlib's.
#
# Guess: a map of one name has the colors that it has in matplotlib 3.11.2: RdBu from red to blue, as ColorBrewer's name says, cool
#        from cyan to magenta.
# Seen: the lowest value of rdbu is (5, 10, 172) and the highest (178, 10, 28), over a gray of 190; matplotlib's are (103, 0, 31) and
#       (5, 48, 97), over white. cool begins at (125, 0, 179) and ends at (147, 255, 0). viridis, plasma, inferno and magma are
#       within 20 levels.
# So:   a signed map (eigenvector, t, correlation) drawn in a browser and in Python by the same name shows what is negative in the
#       color of what is positive. Say which end is which in the figure; d3-scale-chromatic's RdBu has the order of matplotlib.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input matplotlib==3.11.2 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund colormap@2.3.2 d3-scale-chromatic@3.1.0
py/bin/python - <<'PY'
import json, matplotlib
names = ["RdBu", "cool", "viridis", "plasma", "inferno", "magma"]
colors = {name: [[round(255 * float(part)) for part in matplotlib.colormaps[name](i)[:3]] for i in range(256)] for name in names}
json.dump(colors, open("matplotlib.json", "w"))
PY
cat >compare.mjs <<'JS'
import { readFileSync } from "node:fs";
import colormap from "colormap";
import { interpolateRdBu } from "d3-scale-chromatic";
const python = JSON.parse(readFileSync("matplotlib.json"));
const apart = {}, ends = {};
for (const [name, theirs] of Object.entries(python)) {
  const ours = colormap({ colormap: name.toLowerCase(), nshades: 256, format: "rba", alpha: 1 });
  apart[name] = Math.max(...theirs.flatMap((color, i) => color.map((part, k) => Math.abs(part - ours[i][k]))));
  ends[name] = [0, 128, 255].map((i) => ours[i].slice(0, 3).join()).join(" | ");
  console.log(`${name}: colormap ${ends[name]}; matplotlib ${[0, 128, 255].map((i) => theirs[i].join()).join(" | ")}; apart by up to ${apart[name]}`);
}
console.log("d3:", interpolateRdBu(0), interpolateRdBu(1));
const holds = ends.RdBu === "5,10,172 | 190,190,190 | 178,10,28" && python.RdBu[0].join() === "103,0,31" && ends.cool.startsWith("125,0,179") &&
  interpolateRdBu(0) === "rgb(103, 0, 31)" && ["viridis", "plasma", "inferno", "magma"].every((name) => apart[name] <= 20);
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node compare.mjs
