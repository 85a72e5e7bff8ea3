"""Writes tsne.json: a clustered input, and how well scikit-learn's t-SNE maps it (Barnes–Hut at angle 0.2, perplexity 30, 1,000 steps);
and the trustworthiness of bad maps, 24 points on a line, for several k.

    python tsne.py     (scikit-learn 1.x, numpy)
"""
import json

import numpy as np
import sklearn
from sklearn.manifold import TSNE, trustworthiness

rng = np.random.default_rng(5)
n, d = 360, 8
centres = rng.normal(size=(9, d))
x = np.round(centres[np.arange(n) % 9] + 0.45 * rng.normal(size=(n, d)), 3)
results = {}
for dimensions in (2, 3):
    runs = []
    for seed in range(5):
        model = TSNE(dimensions, perplexity=30, method="barnes_hut", angle=0.2, init="pca", random_state=seed, max_iter=1000)
        y = model.fit_transform(x)
        runs.append({"kl": float(model.kl_divergence_), "trustworthiness": float(trustworthiness(x, y, n_neighbors=5))})
    results[str(dimensions)] = {key: float(np.median([run[key] for run in runs])) for key in runs[0]}
points, line = np.round(rng.normal(size=(24, 3)), 3), np.round(rng.normal(size=(24, 1)), 3)
line[:12, 0] += points[:12, 0]
bad = {
    "x": points.ravel().tolist(),
    "y": line.ravel().tolist(),
    "by_k": {k: float(trustworthiness(points, line, n_neighbors=k)) for k in (1, 2, 5, 11)},
}
with open("tsne.json", "w") as file:
    json.dump({"sklearn": sklearn.__version__, "rows": n, "cols": d, "x": x.ravel().tolist(), "median_of_5": results, "trustworthiness": bad}, file)
    file.write("\n")
print(sklearn.__version__, results)
