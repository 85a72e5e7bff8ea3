"""What PyTorch hooks see in DINOv2 ViT-S/14 with the noise that the tests fill a real export of it with.

The export is research data that is not shipped (dinov2_vits14_graph_no_weights.onnx): only the names, shapes and order
of its weights are read. They are filled by noise() here and in onnx_exports_test.ts alike, here put into timm's model.
dinov2_noise.npy: layers x images x TOKENS x every CHANNELS-th channel of the output of every block's attention after its
projection and bias, before layer scale.

Run: python dinov2.py [MODEL.onnx] with torch 2.15, timm 1.0.31, onnx 1.23. It writes beside itself.
"""
import os
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import timm
import torch

HERE = Path(__file__).parent
REAL = Path(os.environ.get("ALIGNEDCUT_REAL_DATA", HERE / "../../../../shared/real"))
MODEL = "onnx/dinov2_vits14_graph_no_weights.onnx"
SIZE, PATCH, TOKENS, CHANNELS = 224, 14, [0, 1, 2, 17, 100, 129, 240, 256], 4


def uniform(count):
    """The multiplicative generator of Park and Miller from 1 on, as numbers in (0, 1)."""
    modulus, states, factor = 2**31 - 1, np.array([48271]), 48271
    while len(states) < count:
        states, factor = np.concatenate([states, states * factor % modulus]), factor * factor % modulus
    return states[:count] / modulus


def noise(shapes):
    """Values by name, in the order given: around 1 what multiplies one channel, around 0 all else."""
    values, at = uniform(sum(int(np.prod(shape)) for shape in shapes.values())), 0
    weights = {}
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        middle = 1 if re.search(r"norm\d?\.weight$|gamma$", name) else 0
        weights[name] = torch.from_numpy((middle + (values[at : at + size] - 0.5) / 4).astype(np.float32).reshape(shape))
        at += size
    return weights


def named(graph, weights):
    """The weights by PyTorch's names: a matrix that the exporter has turned is known by the bias that is added to its product."""
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    found = {name.removeprefix("m."): value for name, value in weights.items() if name.startswith("m.")}
    for node in graph.node:
        for product, bias in (node.input, node.input[::-1]) if node.op_type == "Add" else ():
            if product in products and bias.endswith(".bias"):
                found[bias.removeprefix("m.").removesuffix("bias") + "weight"] = weights[products[product]].T
    return found


def resampled(positions):
    """As DINOv2 does it: bicubic, by a factor that is a tenth of a patch too large."""
    side, factor = int((positions.shape[1] - 1) ** 0.5), (SIZE / PATCH + 0.1)
    grid = positions[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    grid = torch.nn.functional.interpolate(grid, scale_factor=(factor / side, factor / side), mode="bicubic")
    return torch.cat([positions[:, :1], grid.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def images():
    """2 images of 3 x SIZE x SIZE values in [-1, 1] by a formula."""
    i = np.arange(2 * 3 * SIZE * SIZE)
    return torch.from_numpy((i * 7919 % 2003 / 1001 - 1).astype(np.float32).reshape(2, 3, SIZE, SIZE))


def main(path):
    graph = onnx.load(path, load_external_data=False).graph
    stored = [tensor for tensor in graph.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
    weights = named(graph, noise({tensor.name: tuple(tensor.dims) for tensor in stored}))
    weights["pos_embed"] = resampled(weights["pos_embed"])
    model = timm.create_model("vit_small_patch14_dinov2", img_size=SIZE).eval()
    model.load_state_dict(weights)
    found = []
    for block in model.blocks:
        block.attn.register_forward_hook(lambda module, inputs, output: found.append(output))
    with torch.no_grad():
        model(images())
    np.save(HERE / "dinov2_noise.npy", torch.stack(found)[:, :, TOKENS, ::CHANNELS].contiguous().numpy())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else REAL / MODEL)
