#!/bin/sh
# ml-pca 4.1.1: with method "NIPALS" any number of components explains all of the variance, and eigenvalues are sums of squares.
#
# Guess: getExplainedVariance() and getEigenvalues() of two components are the first two that the other methods give.
# Seen: on 30 points with ten columns, two components explain 100 % with NIPALS, and 43 % with "SVD", "covarianceMatrix" and
#       scikit-learn 1.9.1. The eigenvalues are 29 times theirs: they are not divided by n − 1. The scores are equal up to sign.
# So:   how many components are enough cannot be read from NIPALS here: divide its eigenvalues by n − 1 and by the variance of all
#       columns together.
#
# Needs python3 with venv, node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input scikit-learn==1.9.1 numpy==2.4.6
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ml-pca@4.1.1
py/bin/python - <<'PY'
import json, numpy
from sklearn.decomposition import PCA
points = numpy.random.default_rng(0).normal(size=(30, 10)) * numpy.linspace(2, 1, 10)
pca = PCA(2).fit(points)
found = {"variance": pca.explained_variance_.tolist(), "share": pca.explained_variance_ratio_.tolist()}
json.dump({"points": points.tolist(), "scores": pca.transform(points).tolist(), **found}, open("sklearn.json", "w"))
PY
cat >components.mjs <<'JS'
import { readFileSync } from "node:fs";
import { PCA } from "ml-pca";
const { points, scores, variance, share } = JSON.parse(readFileSync("sklearn.json"));
const near = (a, b, tolerance) => a.every((value, i) => Math.abs(value - b[i]) < tolerance * Math.abs(b[i]));
const of = (method, options) => {
  const pca = new PCA(points, { method, ...options });
  return { share: pca.getExplainedVariance().slice(0, 2), values: pca.getEigenvalues().slice(0, 2), pca };
};
const svd = of("SVD"), covariance = of("covarianceMatrix"), nipals = of("NIPALS", { nCompNIPALS: 2 });
const sum = ([a, b]) => a + b, factors = nipals.values.map((value, i) => value / variance[i]);
const first = nipals.pca.predict(points, { nComponents: 2 }).to2DArray();
const sizes = (rows) => rows.flat().map(Math.abs);
const apart = Math.max(...sizes(first).map((size, i) => Math.abs(size - sizes(scores)[i])));
console.log("share of two components: scikit-learn", sum(share).toFixed(3), "SVD", sum(svd.share).toFixed(3), "NIPALS", sum(nipals.share).toFixed(3));
console.log("eigenvalues of NIPALS over scikit-learn's:", factors.map((factor) => factor.toFixed(3)).join(" "), "largest difference of scores:", apart.toExponential(0));
const holds = [svd, covariance].every((one) => near(one.share, share, 1e-9) && near(one.values, variance, 1e-9)) &&
  Math.abs(sum(nipals.share) - 1) < 1e-9 && sum(share) < 0.6 && factors.every((factor) => Math.abs(factor - 29) < 0.01) && apart < 1e-2;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node components.mjs
