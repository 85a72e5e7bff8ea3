#!/bin/sh
# @keckelt/tsne 1.0.2: initDataDist() takes squared distances, and step() returns no Kullback–Leibler divergence.
#
# Guess: initDataDist(distances) starts where initDataRaw(points) starts, as metric="precomputed" does in scikit-learn 1.9.1, which
#        squares; step() returns the divergence that t-SNE lowers.
# Seen: of a grid of 10 × 10 patches and perplexity 20 the two make different probabilities P (9.5 % lie elsewhere); given
#       squared distances they are equal, and scikit-learn's. step() returns −Σ P log Q, larger than the divergence by
#       the entropy of P: about 7.9 in place of 0.2.
# So:   square distances first; of another dissimilarity, know which of the two is meant. Subtract the entropy before costs of two
#       data sets, two perplexities or two programs are compared.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @keckelt/tsne@1.0.2
cat >data.py <<'PY'
import json, numpy
from scipy.spatial.distance import pdist, squareform
from sklearn.manifold import TSNE
from sklearn.manifold._t_sne import _joint_probabilities
points = numpy.stack(numpy.meshgrid(range(10), range(10)), -1).reshape(-1, 2).astype(float)
distances = squareform(pdist(points))
p = squareform(_joint_probabilities((distances**2).astype("float32"), 20, 0))
start = {"perplexity": 20, "init": points / 1e3, "random_state": 0, "method": "exact"}
raw, given = TSNE(**start).fit(points), TSNE(metric="precomputed", **start).fit(distances.copy())
assert abs(raw.kl_divergence_ - given.kl_divergence_) < 0.01 * raw.kl_divergence_
json.dump({"points": points.tolist(), "distances": distances.tolist(), "p": p.ravel().tolist()}, open("data.json", "w"))
PY
py/bin/python data.py
cat >distances.cjs <<'JS'
const { readFileSync } = require("node:fs");
const { TSNE } = require("@keckelt/tsne");
const { points, distances, p } = JSON.parse(readFileSync("data.json"));
const made = (method, data) => {
  const tsne = new TSNE({ perplexity: 20, dim: 2, epsilon: 10 });
  tsne[method](data);
  return tsne;
};
const squares = points.map((a) => points.map((b) => a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0)));
const raw = made("initDataRaw", points), plain = made("initDataDist", distances), squared = made("initDataDist", squares);
const apart = (a, b) => a.reduce((sum, value, k) => sum + Math.abs(value - b[k]), 0) / 2;
const [of, from] = [Array.from(raw.P), (tsne) => Array.from(tsne.P)];
console.log("P moved by plain distances", apart(of, from(plain)).toFixed(3), "by squared ones", apart(of, from(squared)).toFixed(6));
console.log("P from scikit-learn's", apart(of, p).toExponential(0));
for (let i = 0; i < 300; i++) raw.step();
const map = raw.getSolution().map((row) => Array.from(row));
const weights = map.flatMap((a, i) => map.map((b, j) => i === j ? 0 : 1 / (1 + (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2)));
const total = weights.reduce((sum, value) => sum + value);
const off = (k) => Math.floor(k / 100) !== k % 100;
const divergence = of.reduce((sum, value, k) => off(k) ? sum + value * Math.log(value / (weights[k] / total)) : sum, 0);
const entropy = of.reduce((sum, value, k) => off(k) ? sum - value * Math.log(value) : sum, 0);
const cost = raw.step();
console.log("step()", cost.toFixed(3), "divergence", divergence.toFixed(3), "entropy", entropy.toFixed(3));
const holds = apart(of, from(plain)) > 0.05 && apart(of, from(squared)) < 1e-6 && apart(of, p) < 1e-3 &&
  Math.abs(cost - divergence - entropy) < 1e-3 && cost > 3 * divergence;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node distances.cjs
