"""Golden numbers of representational similarity, computed by rsatoolbox 0.3.2 in float64.

RDMs are calc_rdm(method="correlation"); comparisons are compare(method="spearman" / "tau-a"), of resampled stimuli after
subsample_pattern, which leaves out pairs of a stimulus with itself; noise ceilings are boot_noise_ceiling. Linear CKA is
compare(method="cosine_cov") of squared Euclidean RDMs (whitened cosine without noise covariance: Diedrichsen et al. 2021),
checked against the definition; debiased CKA is counted from U-centred Gram matrices, which rsatoolbox does not have.
Patterns come from a linear congruential generator, as whole numbers divided by 1024, which float32 holds exactly.
Run: python rsa.py (rsatoolbox==0.3.2, numpy, scipy); it writes rsa.json beside itself.
"""
import json
import warnings
from pathlib import Path

import numpy as np
import scipy
from rsatoolbox.data import Dataset
from rsatoolbox.inference import boot_noise_ceiling
from rsatoolbox.rdm import RDMs, calc_rdm, compare
from scipy.spatial.distance import pdist, squareform

warnings.filterwarnings("ignore", message="Noise ceiling for tau")


class Lcg:
    """s <- 1664525 s + 1013904223 mod 2^32."""

    def __init__(self, seed):
        self.state = seed

    def whole(self, below):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return (self.state >> 8) % below

    def patterns(self, rows, cols):
        return np.array([[self.whole(2048) - 1024 for _ in range(cols)] for _ in range(rows)]) / 1024


def agreement(a, b):
    return {"spearman": float(np.mean(compare(a, b, "spearman"))), "kendall": float(np.mean(compare(a, b, "tau-a")))}


def u_centred(patterns):
    n = len(patterns)
    gram = patterns @ patterns.T
    np.fill_diagonal(gram, 0)
    sums = gram.sum(0)
    gram = gram - (sums[:, None] + sums[None]) / (n - 2) + sums.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(gram, 0)
    return gram


def main():
    lcg = Lcg(11)
    n = 13
    shared = lcg.patterns(n, 6)
    model = np.hstack([shared, lcg.patterns(n, 5)])
    subjects = [np.hstack([shared, 2 * lcg.patterns(n, 7)]) for _ in range(4)]
    rdm = lambda patterns: calc_rdm(Dataset(patterns), method="correlation")
    own = RDMs(rdm(model).dissimilarities)
    brains = RDMs(np.vstack([rdm(s).dissimilarities for s in subjects]))
    drawn = np.array([lcg.whole(n) for _ in range(n)])
    resampled = [r.subsample_pattern("index", drawn) for r in (own, brains)]
    ceilings = {m: boot_noise_ceiling(brains, method=m) for m in ("spearman", "tau-a")}
    squared = lambda patterns: RDMs(pdist(patterns, "sqeuclidean")[None])
    cka = float(compare(squared(model), squared(subjects[0]), "cosine_cov").item())
    x, y = model - model.mean(0), subjects[0] - subjects[0].mean(0)
    plain = np.linalg.norm(y.T @ x) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    assert abs(cka - plain) < 1e-12
    k, l = u_centred(model), u_centred(subjects[0])
    debiased = float((k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum()))
    result = {
        "made_with": f"rsatoolbox 0.3.2, numpy {np.__version__}, scipy {scipy.__version__}, float64",
        "model": model.tolist(),
        "subjects": [s.tolist() for s in subjects],
        "rdm": own.dissimilarities[0].tolist(),
        "one_subject": agreement(own, brains.subset("index", 0)),
        "all_subjects": agreement(own, brains),
        "drawn": drawn.tolist(),
        "resampled": agreement(*resampled),
        "ceiling": {
            "lower": {"spearman": ceilings["spearman"][0], "kendall": ceilings["tau-a"][0]},
            "upper": {"spearman": ceilings["spearman"][1], "kendall": ceilings["tau-a"][1]},
        },
        "cka": cka,
        "debiased_cka": debiased,
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
    print({key: value for key, value in result.items() if key not in ("model", "subjects", "rdm")})


if __name__ == "__main__":
    main()
