#!/bin/sh
# @saehrimnir/druidjs 0.9.0: MDS and ISOMAP give every axis the same length, as eigenvectors are not scaled by their eigenvalues.
#
# Guess: classical scaling: of points in three dimensions, three coordinates have the very distances that went in, as those of
#        numpy 2.4.6's eigenvectors times √eigenvalue do.
# Seen: of 30 points in a box of 10 × 3 × 1 each axis of the map has a sum of squares of 1, and distances come out up to 94 % too
#       small; MDS's own stress() says 0.90. So it is with ISOMAP, all points neighbours. PCA of the same package keeps distances to
#       1e-6.
# So:   a flat cloud looks round, and nearest neighbours on the map are not those of the data. Scale each axis by the root of its
#       eigenvalue (y · B y, with B the doubly centred −½ d²), or take PCA where the distances are of points.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @saehrimnir/druidjs@0.9.0
py/bin/python - <<'PY'
import json, numpy
points = (numpy.random.default_rng(0).random((30, 3)) - 0.5) * [10, 3, 1]
squares = ((points[:, None] - points) ** 2).sum(-1)
centring = numpy.eye(30) - 1 / 30
values, vectors = numpy.linalg.eigh(-0.5 * centring @ squares @ centring)
scaled = vectors[:, -3:] * numpy.sqrt(values[-3:])
assert numpy.allclose(((scaled[:, None] - scaled) ** 2).sum(-1), squares)
json.dump(points.tolist(), open("points.json", "w"))
PY
cat >map.mjs <<'JS'
import { readFileSync } from "node:fs";
import { ISOMAP, MDS, PCA } from "@saehrimnir/druidjs";
const points = JSON.parse(readFileSync("points.json"));
const distance = (a, b) => Math.hypot(...a.map((value, axis) => value - b[axis]));
const seen = (reducer) => {
  const map = reducer.transform();
  const lengths = [0, 1, 2].map((axis) => {
    const mean = map.reduce((sum, point) => sum + point[axis], 0) / map.length;
    return map.reduce((sum, point) => sum + (point[axis] - mean) ** 2, 0);
  });
  const ratios = points.flatMap((a, i) => points.slice(0, i).map((b, j) => distance(map[i], map[j]) / distance(a, b)));
  return { lengths, least: Math.min(...ratios), most: Math.max(...ratios) };
};
const mds = new MDS(points, { d: 3 });
const found = {
  MDS: seen(mds),
  ISOMAP: seen(new ISOMAP(points, { d: 3, neighbors: points.length - 1 })),
  PCA: seen(new PCA(points, { d: 3 })),
};
for (const [name, { lengths, least, most }] of Object.entries(found)) {
  console.log(`${name}: sums of squares ${lengths.map((x) => x.toFixed(3))}, distances ${least.toFixed(3)} to ${most.toFixed(3)} of those given`);
}
console.log("stress of MDS:", mds.stress().toFixed(3));
const unscaled = ({ lengths, least }) => lengths.every((sum) => Math.abs(sum - 1) < 1e-6) && least < 0.1;
const holds = unscaled(found.MDS) && unscaled(found.ISOMAP) && mds.stress() > 0.8 && found.PCA.lengths[0] > 50 &&
  Math.abs(found.PCA.least - 1) < 1e-6 && Math.abs(found.PCA.most - 1) < 1e-6;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node map.mjs
