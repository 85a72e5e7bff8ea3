"""One peer of the benchmark: python peers.py NAME, then one JSON object a line, each answered by one.

The same requests as tasks/bench/messages.ts: open, run, save, close. Inputs and results are .npy files.
"""

import json
import os
import sys
import time

MARK = "@bench "
REPLIES = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # what packages print goes to standard error
os.environ.pop("OPENBLAS_CORETYPE", None)  # a setting of the shell may halve OpenBLAS


def peak_mb():
    """Most MB resident so far."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 2**20


class Matmul:
    """numpy on the processor."""

    def __init__(self, files, options):
        import numpy as np

        self.np, self.repeat, self.version = np, int(options["repeat"]), f"numpy {np.__version__}"
        a, b, form = np.load(files["a"]), np.load(files["b"]), options["form"]
        self.a, self.b = a.T if form == "AtB" else a, b.T if form == "ABt" else b
        self.out = np.empty((self.a.shape[0], self.b.shape[1]), np.float32)

    def run(self):
        started = time.perf_counter()
        for _ in range(self.repeat):
            self.np.matmul(self.a, self.b, out=self.out)
        return {"seconds": (time.perf_counter() - started) / self.repeat}

    def save(self, path):
        self.np.save(path, self.out)


class CudaMatmul:
    """cuBLAS through torch, TF32 off."""

    def __init__(self, files, options):
        import numpy as np

        torch = cuda_torch()
        self.np, self.torch, self.repeat = np, torch, int(options["repeat"])
        self.version, self.device = f"torch {torch.__version__}", torch.cuda.get_device_name(0)
        a, b = torch.from_numpy(np.load(files["a"])).cuda(), torch.from_numpy(np.load(files["b"])).cuda()
        form = options["form"]
        self.a, self.b = a.T if form == "AtB" else a, b.T if form == "ABt" else b

    def run(self):
        self.torch.cuda.synchronize()
        started = time.perf_counter()
        for _ in range(self.repeat):
            self.out = self.a @ self.b
        self.torch.cuda.synchronize()
        return {"seconds": (time.perf_counter() - started) / self.repeat}

    def save(self, path):
        self.np.save(path, self.out.cpu().numpy())


def cuda_torch():
    """torch with a GPU and TF32 off."""
    import torch

    if not torch.cuda.is_available():
        raise ImportError("torch finds no CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch


def affinity(x):
    """exp(cos - 1) of all rows, in float32 and in place."""
    import numpy as np

    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    a = unit @ unit.T
    a -= 1
    return np.exp(a, out=a)


class ScipyCut:
    """The dense normalised affinity and ARPACK."""

    def __init__(self, files, options):
        import numpy as np
        import scipy
        import scipy.sparse.linalg

        self.np, self.eigsh = np, scipy.sparse.linalg.eigsh
        self.version = f"scipy {scipy.__version__}"
        self.x, self.k, self.tol = np.load(files["x"]), int(options["components"]), float(options["tolerance"])

    def solve(self, x, tol):
        np = self.np
        a = affinity(x)
        inverse = (1 / np.sqrt(a.sum(1))).astype(x.dtype)
        a *= inverse[:, None]
        a *= inverse[None, :]
        values, vectors = self.eigsh(a, k=self.k, which="LA", tol=tol)
        return vectors[:, ::-1]

    def run(self):
        started = time.perf_counter()
        self.vectors = self.solve(self.x, self.tol)
        return {"seconds": time.perf_counter() - started}

    def save(self, path):
        self.np.save(path, self.np.ascontiguousarray(self.vectors, self.np.float32))
        if len(self.x) <= 8000:  # the exact vectors, for the judge
            exact = self.solve(self.x.astype(self.np.float64), 0)
            self.np.save(
                os.path.join(os.path.dirname(path), "exact.npy"),
                self.np.ascontiguousarray(exact, self.np.float32),
            )


class SklearnCut:
    """scikit-learn's spectral_embedding on the same affinity, with its default solver."""

    def __init__(self, files, options):
        import numpy as np
        import sklearn
        from sklearn.manifold import spectral_embedding

        self.np, self.embed, self.version = np, spectral_embedding, f"scikit-learn {sklearn.__version__}"
        self.x, self.k = np.load(files["x"]), int(options["components"])

    def run(self):
        started = time.perf_counter()
        a = affinity(self.x)
        degrees = a.sum(1)
        vectors = self.embed(a, n_components=self.k, drop_first=False, random_state=0)
        self.vectors = vectors * self.np.sqrt(degrees)[:, None]
        return {"seconds": time.perf_counter() - started}

    def save(self, path):
        self.np.save(path, self.np.ascontiguousarray(self.vectors, self.np.float32))


class Ncut:
    """ncut-pytorch. Rows of unit length and sigma = 1 make its Gaussian kernel ours: exp(-|x - y|^2 / 2) = exp(cos - 1)."""

    def __init__(self, files, options, defaults=False):
        import numpy as np
        import torch
        from importlib.metadata import version
        from ncut_pytorch import ncut_fn

        self.np, self.torch, self.ncut = np, torch, ncut_fn
        self.version = f"ncut-pytorch {version('ncut-pytorch')}, torch {torch.__version__}"
        self.on = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.cuda.get_device_name(0) if self.on == "cuda" else "processor"
        self.x, self.k, self.defaults = torch.from_numpy(np.load(files["x"])), int(options["components"]), defaults
        self.subset = np.load(files["subset"]) if "subset" in files else None
        torch.manual_seed(0)
        np.random.seed(0)

    def run(self):
        torch = self.torch
        started = time.perf_counter()
        if self.defaults:
            vectors, _ = self.ncut(self.x, n_eig=self.k, device=self.on)
        else:
            unit = torch.nn.functional.normalize(self.x, dim=1)
            vectors, _ = self.ncut(unit, n_eig=self.k, sigma=1.0, device=self.on)
        self.vectors = vectors.cpu()
        return {"seconds": time.perf_counter() - started}

    def save(self, path):
        vectors = self.vectors.numpy()
        if self.subset is not None:
            vectors = vectors[self.subset]
        self.np.save(path, self.np.ascontiguousarray(vectors, self.np.float32))


class NcutJob:
    """The paper's job by ncut-pytorch with its defaults, features made on the GPU."""

    def __init__(self, files, options):
        from importlib.metadata import version
        from ncut_pytorch import ncut_fn

        torch = cuda_torch()
        self.torch, self.ncut, self.k = torch, ncut_fn, int(options["components"])
        self.version = f"ncut-pytorch {version('ncut-pytorch')}, torch {torch.__version__}"
        self.device = torch.cuda.get_device_name(0)
        n, d, clusters = int(options["nodes"]), int(options["channels"]), 400
        generator = torch.Generator("cuda").manual_seed(0)
        centres = torch.randn(clusters, d, generator=generator, device="cuda")
        self.x = torch.randn(n, d, generator=generator, device="cuda")
        for at in range(0, n, 2**18):
            rows = torch.arange(at, min(n, at + 2**18), device="cuda")
            self.x[at : at + 2**18] += centres[rows % clusters]

    def run(self):
        self.torch.cuda.synchronize()
        started = time.perf_counter()
        self.ncut(self.x, n_eig=self.k, device="cuda")
        self.torch.cuda.synchronize()
        megabytes = self.torch.cuda.max_memory_allocated() / 2**20
        return {"seconds": time.perf_counter() - started, "figures": {"GPU MB in use at most": megabytes}}

    def save(self, path):
        pass


class SklearnTsne:
    """scikit-learn's Barnes-Hut t-SNE, started from the principal components as ours is."""

    def __init__(self, files, options):
        import numpy as np
        import sklearn
        from sklearn.manifold import TSNE

        self.np, self.tsne, self.version = np, TSNE, f"scikit-learn {sklearn.__version__}"
        self.x = np.load(files["x"])

    def run(self):
        started = time.perf_counter()
        tsne = self.tsne(n_components=3, init="pca", random_state=0)
        self.points = tsne.fit_transform(self.x)
        return {"seconds": time.perf_counter() - started, "figures": {"kl": float(tsne.kl_divergence_)}}

    def warm(self):
        self.tsne(n_components=3, max_iter=250, init="pca").fit_transform(self.x[:200])

    def save(self, path):
        self.np.save(path, self.np.ascontiguousarray(self.points, self.np.float32))


class OpenTsne:
    """openTSNE's FIt-SNE with its own settings, started from the principal components as ours is, on all processors."""

    def __init__(self, files, options):
        import numpy as np
        import openTSNE

        self.np, self.tsne, self.version = np, openTSNE.TSNE, f"openTSNE {openTSNE.__version__}"
        self.x = np.load(files["x"])

    def run(self):
        started = time.perf_counter()
        self.points = self.tsne(n_jobs=-1, random_state=0).fit(self.x)
        figures = {"kl": float(self.points.kl_divergence)}
        return {"seconds": time.perf_counter() - started, "figures": figures}

    def warm(self):
        self.tsne(n_jobs=-1, n_iter=50, random_state=0).fit(self.x[:2000])

    def save(self, path):
        self.np.save(path, self.np.ascontiguousarray(self.points, self.np.float32))


class Himalaya:
    """himalaya's kernel ridge regression with a penalty for every voxel, by torch on the processor where it is there."""

    def __init__(self, files, options):
        import numpy as np
        import himalaya
        from himalaya.backend import set_backend
        from himalaya.kernel_ridge import KernelRidgeCV

        try:
            import torch

            self.backend, on = set_backend("torch"), f"torch {torch.__version__}"
        except ImportError:
            self.backend, on = set_backend("numpy"), f"numpy {np.__version__}"
        self.np, self.version = np, f"himalaya {himalaya.__version__}, {on}"
        self.x, self.y, self.unseen = (np.load(files[name]) for name in ("x", "y", "unseen"))
        # The same as ours: 0.01 to 10 times the images, whose number the standardised Gram matrix has on its diagonal.
        alphas = len(self.x) * 10 ** np.linspace(-2, 1, int(options["penalties"]))
        self.fitted = lambda: KernelRidgeCV(alphas=alphas.astype(np.float32), kernel="linear", cv=int(options["folds"]))

    def run(self):
        started = time.perf_counter()
        mean, spread, center = self.x.mean(0), self.x.std(0), self.y.mean(0)
        model = self.fitted().fit((self.x - mean) / spread, self.y - center)
        predicted = model.predict((self.unseen - mean) / spread)
        self.predicted = self.backend.to_numpy(predicted) + center
        return {"seconds": time.perf_counter() - started}

    def save(self, path):
        self.np.save(path, self.np.ascontiguousarray(self.predicted, self.np.float32))


class Limits:
    """What the machine can do: a large product and a large copy."""

    def __init__(self, files, options):
        import numpy as np

        self.np, self.version = np, f"numpy {np.__version__}"
        generator = np.random.default_rng(0)
        self.a = generator.standard_normal((2048, 2048), dtype=np.float32)
        self.out = np.empty_like(self.a)
        self.from_, self.to = np.ones(2**26, np.float32), np.empty(2**26, np.float32)
        try:
            torch = cuda_torch()
        except ImportError:
            return
        self.torch, self.device = torch, torch.cuda.get_device_name(0)
        self.version = f"torch {torch.__version__}"
        self.a = torch.randn(8192, 8192, device="cuda")
        self.from_, self.to = torch.ones(2**28, device="cuda"), torch.empty(2**28, device="cuda")

    def run(self):
        torch = getattr(self, "torch", None)
        wait = torch.cuda.synchronize if torch else lambda: None
        n = len(self.a)
        wait()
        started = time.perf_counter()
        if torch:
            for _ in range(10):
                self.a @ self.a
        else:
            for _ in range(10):
                self.np.matmul(self.a, self.a, out=self.out)
        wait()
        product = (time.perf_counter() - started) / 10
        started = time.perf_counter()
        for _ in range(10):
            if torch:
                self.to.copy_(self.from_)
            else:
                self.np.copyto(self.to, self.from_)
        wait()
        copy = (time.perf_counter() - started) / 10
        bytes_moved = 8 * (self.from_.numel() if torch else self.from_.size)
        return {
            "seconds": product + copy,
            "figures": {"gflops": 2e-9 * n**3 / product, "gbs": 1e-9 * bytes_moved / copy},
        }


PEERS = {
    "numpy": {"matmul": Matmul, "limits": Limits},
    "torch-cuda": {"matmul": CudaMatmul},
    "scipy": {"cut": ScipyCut},
    "scikit-learn": {"cut": SklearnCut, "tsne": SklearnTsne},
    "openTSNE": {"tsne": OpenTsne},
    "himalaya": {"ridge": Himalaya},
    "ncut-pytorch": {"cut": Ncut, "nystrom": Ncut},
    "ncut-pytorch, defaults": {"nystrom": lambda files, options: Ncut(files, options, defaults=True)},
    "ncut-pytorch-cuda": {"paper": NcutJob},
}


def main(name):
    work = None
    for line in sys.stdin:
        request, reply = json.loads(line), {}
        try:
            if request["do"] == "open":
                kind = PEERS[name][request["work"].split("-")[0]]
                work = kind(request["files"], request["options"])
                reply = {"version": work.version, "device": getattr(work, "device", "processor")}
            elif request["do"] == "run":
                if request.get("warm") and hasattr(work, "warm"):
                    work.warm()
                else:
                    reply = work.run()
                reply["peakMb"] = round(peak_mb())
            elif request["do"] == "save" and hasattr(work, "save"):
                work.save(request["path"])
        except ImportError as error:
            reply = {"absent": str(error)}
        except Exception as error:  # reported to the harness, which goes on without this peer
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        REPLIES.write(MARK + json.dumps(reply) + "\n")
        REPLIES.flush()
        if request["do"] == "close":
            break


main(sys.argv[1])
