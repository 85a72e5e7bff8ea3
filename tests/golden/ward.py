"""Golden hierarchies of Ward's criterion, computed by scipy.

Heights are those of scipy.cluster.hierarchy.linkage(points, "ward"), partitions those of its cut_tree. The points are made
from a linear congruential generator and stored as well.
Run: python ward.py (numpy, scipy); it writes ward.json beside itself.
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.cluster.hierarchy import cut_tree, linkage

state = 7


def uniform():
    """s <- 1664525 s + 1013904223 mod 2^32, in [0, 1)."""
    global state
    state = (1664525 * state + 1013904223) % 2**32
    return (state >> 8) / 2**24


def points(n, d, centers):
    middles = np.array([[6 * uniform() for _ in range(d)] for _ in range(centers)])
    noise = np.array([[uniform() for _ in range(d)] for _ in range(n)])
    return np.float32(middles[np.arange(n) % centers] + noise).astype(float)


cases = []
for n, d, centers in [(40, 3, 5), (25, 2, 1), (3, 1, 3)]:
    x = points(n, d, centers)
    tree = linkage(x, "ward")
    counts = sorted({1, 2, min(3, n), min(7, n), n})
    cases.append(
        {
            "points": x.tolist(),
            "heights": tree[:, 2].tolist(),
            "partitions": {str(k): cut_tree(tree, k)[:, 0].tolist() for k in counts},
        }
    )
out = {"tool": f"scipy {scipy.__version__}", "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
