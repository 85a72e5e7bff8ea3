"""How far numpy's float32 products are off for long sums, in shares of |A| |B|: the yardstick of tests/linalg/long_sums_test.ts.

python tests/golden/long_sums.py > tests/golden/long_sums.json
"""
import json

import numpy as np

KINDS = {
    "0.1 · 0.1": lambda i: (np.full(i.shape, 0.1), np.full(i.shape, 0.1)),
    "0.3 · 0.7": lambda i: (np.full(i.shape, 0.3), np.full(i.shape, 0.7)),
    "of one sign": lambda i: (1 + i * 7919 % 251, 1 + i * 104729 % 509),
}


def operands(kind: str, m: int, k: int, n: int):
    """A, m × k, and B, k × n, row-major."""
    a, _ = KINDS[kind](np.arange(m * k, dtype=np.int64))
    _, b = KINDS[kind](np.arange(k * n, dtype=np.int64))
    return a.astype(np.float32).reshape(m, k), b.astype(np.float32).reshape(k, n)


def error(kind: str, m: int, k: int, n: int) -> float:
    a, b = operands(kind, m, k, n)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    scale = (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)).max()
    return float(np.abs(a @ b - exact).max() / scale)


shapes = [(4, 4096, 4), (4, 65536, 4), (3, 300000, 5), (4, 1000000, 4), (20, 65536, 24)]
print(json.dumps({
    "numpy": np.__version__,
    "errors": [{"kind": kind, "m": m, "k": k, "n": n, "error": error(kind, m, k, n)} for kind in KINDS for m, k, n in shapes],
}, ensure_ascii=False, indent=1))
