#!/bin/sh
# density-clustering 1.3.0: DBSCAN leaves out neighbours at exactly the radius, which scikit-learn 1.9.1 counts.
#
# Guess: a neighbourhood of radius ε is closed, as in the paper (Ester et al. 1996: at most ε) and in scikit-learn.
# Seen: of 4 × 4 patches with a step of 1 and a radius of 1, every patch is noise and there is no cluster; scikit-learn makes one
#       cluster of all 16. With a radius of 1.01 both make one. The package's OPTICS, too, leaves all 16 alone.
# So:   on whole coordinates (patches, voxels, pixels) a radius that is a distance of the grid has to be raised a little, or two
#       programs of one name and one setting give opposite answers.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scikit-learn==1.9.1 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund density-clustering@1.3.0
py/bin/python - <<'PY'
import json
from sklearn.cluster import DBSCAN
points = [[x, y] for x in range(4) for y in range(4)]
labels = {radius: DBSCAN(eps=radius, min_samples=3).fit(points).labels_.tolist() for radius in [1, 1.01]}
assert labels == {1: [0] * 16, 1.01: [0] * 16}
json.dump(points, open("points.json", "w"))
PY
cat >cluster.mjs <<'JS'
import { readFileSync } from "node:fs";
import clustering from "density-clustering";
const points = JSON.parse(readFileSync("points.json"));
const dbscan = (radius) => {
  const run = new clustering.DBSCAN(), clusters = run.run(points, radius, 3);
  return `${clusters.map(({ length }) => length)}|${run.noise.length}`;
};
const optics = (radius) => new clustering.OPTICS().run(points, radius, 3).map(({ length }) => length).join();
const seen = [dbscan(1), dbscan(1.01), optics(1), optics(1.01)];
console.log("DBSCAN, sizes of clusters | noise:", seen[0], "and", seen[1], "OPTICS, sizes:", seen[2], "and", seen[3]);
const holds = seen[0] === "|16" && seen[1] === "16|0" && seen[2] === Array(16).fill(1).join() && seen[3] === "16";
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node cluster.mjs
