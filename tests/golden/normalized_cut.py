"""Golden numbers of the normalised cut, computed independently of the toolkit in float64.

M = D^-1/2 A D^-1/2, A_ij = exp(cos(x_i, x_j) - 1), is made dense with numpy and its top eigenpairs are taken with
scipy.sparse.linalg.eigsh (checked against numpy.linalg.eigh where that is quick). The inputs are made from a linear
congruential generator with exact arithmetic, so that tests/golden/features.ts makes the same float32 values and only
the outputs are stored. Run: python normalized_cut.py (numpy, scipy); it writes normalized_cut.json beside itself.
"""
import base64
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.sparse.linalg import eigsh

COMPONENTS = 20


class Lcg:
    """s <- 1664525 s + 1013904223 mod 2^32; values (s >> 8) / 2^24 - 1/2."""

    def __init__(self, seed):
        self.state = seed

    def values(self, count):
        out = np.empty(count)
        for i in range(count):
            self.state = (1664525 * self.state + 1013904223) % 2**32
            out[i] = (self.state >> 8) / 2**24 - 0.5
        return out


def clusters(seed, n, d, groups, noise):
    """Node i lies around the centre of a group; the sizes of the groups differ."""
    lcg = Lcg(seed)
    centres = lcg.values(groups * d).reshape(groups, d)
    spread = lcg.values(n * d).reshape(n, d)
    of = np.array([min((7 * i) % groups, (5 * i) % (groups + 3)) for i in range(n)])
    return (centres[of] + noise * spread).astype(np.float32)


def surface(seed, rows, cols, d):
    """Nodes on a grid, every channel a quadratic of the position: a steep spectrum without clusters."""
    lcg = Lcg(seed)
    c = lcg.values(6 * d).reshape(6, d)
    u = np.repeat((np.arange(rows) - rows / 2) / 16, cols)[:, None]
    v = np.tile((np.arange(cols) - cols / 2) / 16, rows)[:, None]
    return (c[0] + c[1] * u + c[2] * v + c[3] * u * u + c[4] * u * v + c[5] * v * v).astype(np.float32)


def golden(name, x):
    unit = x.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    a = np.exp(np.minimum(unit @ unit.T, 1) - 1)
    degrees = a.sum(axis=1)
    m = a / np.sqrt(np.outer(degrees, degrees))
    values, vectors = eigsh(m, k=COMPONENTS + 1, which="LA", tol=1e-14, v0=np.sqrt(degrees))
    order = np.argsort(-values)
    values, vectors = values[order], vectors[:, order]
    if len(x) <= 1000:
        every = np.linalg.eigvalsh(m)[::-1]
        assert np.abs(every[: COMPONENTS + 1] - values).max() < 1e-12
    residual = np.linalg.norm(m @ vectors - vectors * values, axis=0).max()
    gaps = values[:-1] - values[1:]
    print(f"{name}: {x.shape}, residual {residual:.1e}")
    print("  values", np.round(values, 5).tolist())
    print("  gaps  ", [float(f"{g:.1e}") for g in gaps])
    return {
        "name": name,
        "rows": x.shape[0],
        "cols": x.shape[1],
        "sum": float(x.astype(np.float64).sum()),
        "eigenvalues": values.tolist(),
        "degrees": {"first": degrees[0], "last": degrees[-1], "sum": degrees.sum()},
        "eigenvectors": base64.b64encode(vectors[:, :COMPONENTS].astype("<f4").tobytes()).decode(),
    }


cases = [
    golden("clusters 300", clusters(1, 300, 32, 8, 0.5)),
    golden("surface 600", surface(2, 24, 25, 48)),
    golden("clusters 2500", clusters(3, 2500, 64, 20, 0.5)),
]
result = {
    "made_with": f"numpy {np.__version__}, scipy {scipy.__version__}, float64",
    "components": COMPONENTS,
    "cases": cases,
}
Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
