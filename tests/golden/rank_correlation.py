"""Golden numbers of rank correlations, computed by scipy and by counting pairs.

spearman is scipy.stats.spearmanr (midranks); tau_a = (C - D) / (n (n - 1) / 2) is counted pair by pair and checked
against scipy's tau-b, which equals it where there are no ties. Weighted cases repeat each entry `weights` times before
scipy sees them. The inputs are made from a linear congruential generator with exact arithmetic and stored as well.
Run: python rank_correlation.py (numpy, scipy); it writes rank_correlation.json beside itself.
"""
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import kendalltau, spearmanr


class Lcg:
    """s <- 1664525 s + 1013904223 mod 2^32."""

    def __init__(self, seed):
        self.state = seed

    def whole(self, below):
        self.state = (1664525 * self.state + 1013904223) % 2**32
        return (self.state >> 8) % below


def tau_a(x, y):
    signs = np.sign(x[:, None] - x[None]) * np.sign(y[:, None] - y[None])
    n = len(x)
    return float(signs.sum() / (n * (n - 1)))


def case(name, x, y, weights=None):
    x, y = np.array(x, float), np.array(y, float)
    out = {"name": name, "x": x.tolist(), "y": y.tolist()}
    if weights is not None:
        out["weights"] = list(map(int, weights))
        x, y = np.repeat(x, weights), np.repeat(y, weights)
    tau = tau_a(x, y)
    if len(set(x)) == len(x) and len(set(y)) == len(y):
        assert abs(kendalltau(x, y).statistic - tau) < 1e-12
    return out | {"spearman": float(spearmanr(x, y).statistic), "tau_a": tau}


def main():
    lcg = Lcg(7)
    draw = lambda n, below: [lcg.whole(below) for _ in range(n)]
    line = list(range(11))
    x = draw(101, 2**20)
    noisy = [a + b for a, b in zip(x, draw(101, 2**19))]
    few, fewer = draw(97, 5), draw(97, 3)
    cases = [
        case("equal order", line, [v * v for v in line]),
        case("opposite order", line, [-v for v in line]),
        case("two values", [1, 2], [5, 3]),
        case("no ties", x, noisy),
        case("many ties", few, fewer),
        case("ties in one", draw(60, 4), draw(60, 2**20)),
        case("weights", x[:31], noisy[:31], draw(31, 4)),
        case("weights and ties", draw(40, 6), draw(40, 7), draw(40, 5)),
    ]
    result = {"made_with": f"numpy {np.__version__}, scipy {scipy.__version__}, float64", "cases": cases}
    Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
