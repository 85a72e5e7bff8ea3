#!/bin/sh
# tsne-js 1.0.3: metric "euclidean" makes similarities exp(−β d) of the distance, where t-SNE has a Gaussian of its square.
#
# Guess: the joint probabilities P of scikit-learn 1.9.1 for the same points and perplexity, as in the paper (van der Maaten and
#        Hinton 2008); its parameters are named after scikit-learn's.
# Seen: for a grid of 10 × 10 patches and perplexity 20, its P is scikit-learn's of the distances' square roots. 9.5 % of the
#       probability lies elsewhere than for the points: pairs more than 5 steps apart hold 1.08 % in place of 0.29 %.
# So:   neither maps nor divergences are comparable with other programs' of the same perplexity. No setting mends it;
#       use a package that squares.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund tsne-js@1.0.3
cat >sklearn_p.py <<'PY'
import json, numpy
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold._t_sne import _joint_probabilities
points = numpy.stack(numpy.meshgrid(range(10), range(10)), -1).reshape(-1, 2).astype(float)
distances = squareform(pdist(points))
joint = lambda squared: squareform(_joint_probabilities(squared.astype("float32"), 20, 0)).ravel().tolist()
json.dump({"points": points.tolist(), "squared": joint(distances**2), "plain": joint(distances)}, open("sklearn.json", "w"))
PY
py/bin/python sklearn_p.py
cat >joint.cjs <<'JS'
const { readFileSync } = require("node:fs");
const TSNE = require("tsne-js");
const { points, squared, plain } = JSON.parse(readFileSync("sklearn.json"));
const model = new TSNE({ dim: 2, perplexity: 20, earlyExaggeration: 1, nIter: 60, metric: "euclidean" });
model.init({ data: points, type: "dense" });
model.run();
const found = points.flatMap((_, i) => points.map((_, j) => model.P.get(i, j)));
const apart = (other) => found.reduce((sum, value, k) => sum + Math.abs(value - other[k]), 0) / 2;
const gap = (k) => Math.hypot(...points[Math.floor(k / 100)].map((value, axis) => value - points[k % 100][axis]));
const far = (p) => p.reduce((sum, value, k) => gap(k) > 5 ? sum + value : sum, 0);
const percent = (value) => `${(100 * value).toFixed(2)} %`;
console.log("P of pairs more than 5 apart: tsne-js", percent(far(found)), "scikit-learn", percent(far(squared)));
console.log("probability that differs: from scikit-learn of the points", percent(apart(squared)), "of the distances' roots", percent(apart(plain)));
const holds = apart(plain) < 1e-3 && apart(squared) > 0.09 && far(found) > 3 * far(squared);
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node joint.cjs
