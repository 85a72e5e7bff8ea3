"""Golden cuts by clicks, computed by numpy from the equation alone.

W = (1 - w) M + w M_c, M = D^-1/2 A D^-1/2, A = exp(cos - 1), c = n (mean_f M_f - omega mean_g M_g),
A_c = exp(-(c_i - c_j)^2 / 2 sd(c)^2); x = z2 / z1 of numpy.linalg.eigh(W), of length 1; of all splits of x by a threshold
the one with the smallest Ncut of W. Points are made from a linear congruential generator and stored as well.
Run: python click_cut.py (numpy); it writes click_cut.json beside itself.
"""
import json
from pathlib import Path

import numpy as np

state = 11


def uniform():
    """s <- 1664525 s + 1013904223 mod 2^32, in [0, 1)."""
    global state
    state = (1664525 * state + 1013904223) % 2**32
    return (state >> 8) / 2**24


def normalized(a):
    root = np.sqrt(a.sum(1))
    return a / root[:, None] / root[None]


def ncut(w, side):
    cut = w[side][:, ~side].sum()
    return cut / w[side].sum() + cut / w[~side].sum()


def solve(v, figure, ground, share, omega):
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    n, m = len(v), normalized(np.exp(unit @ unit.T - 1))
    w, c = m, np.zeros(n)
    if figure or ground:
        if figure:
            c = c + n * m[figure].mean(0)
        if ground:
            c = c - omega * n * m[ground].mean(0)
        distance = (c[:, None] - c[None]) ** 2
        w = (1 - share) * m + share * normalized(np.exp(-distance / (2 * c.var())))
    values, vectors = np.linalg.eigh(w)
    x = vectors[:, -2] / vectors[:, -1]
    x /= np.linalg.norm(x)
    if figure or ground:
        side = sum(x[figure]) / max(1, len(figure)) - sum(x[ground]) / max(1, len(ground))
    else:
        side = x[np.abs(x).argmax()]
    x *= np.sign(side)
    order = np.argsort(-x)
    sides = [np.isin(np.arange(n), order[:k]) for k in range(1, n)]
    best = min(sides, key=lambda side: ncut(w, side))
    return {"values": x.tolist(), "figure": best.astype(int).tolist(), "eigenvalues": values[[-1, -2]].tolist()}


n, d = 30, 6
middles = np.array([[2 * uniform() - 1 for _ in range(d)] for _ in range(3)])
v = middles[np.arange(n) % 3] + 0.3 * np.array([[2 * uniform() - 1 for _ in range(d)] for _ in range(n)])
v = np.float32(v).astype(float)
cases = []
for figure, ground, share, omega in [
    ([], [], 0.5, 0.5),
    ([0], [], 0.5, 0.5),
    ([1, 4], [0, 2], 0.5, 0.5),
    ([2], [1], 0.9, 0.1),
    ([], [1], 0.5, 1.0),
]:
    own = {"figure": figure, "ground": ground, "clickWeight": share, "groundWeight": omega}
    cases.append({"clicks": own, **solve(v, figure, ground, share, omega)})
out = {"tool": f"numpy {np.__version__}", "features": v.tolist(), "cases": cases}
Path(__file__).with_suffix(".json").write_text(json.dumps(out) + "\n")
