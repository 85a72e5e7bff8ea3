"""Small vision transformers with random weights in the shapes in which ONNX exporters write attention.

Beside each model stands in golden.json what a PyTorch hook sees on two inputs: the output of every block's attention
after its projection and bias, before layer scale and before the residual add, for pixels() and for photographs().
Run: python make.py (torch 2.9, onnx, onnxscript, onnxruntime); it writes *.onnx and golden.json beside itself.
"""
import json
import math
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional

HERE = Path(__file__).parent
SIZE, PATCH, WIDTH, HEADS, DEPTH = 24, 8, 16, 2, 2


class FusedQkv(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def heads(self, x):
        b, n, d = x.shape
        return self.qkv(x).reshape(b, n, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4).unbind(0)

    def forward(self, x):
        q, k, v = self.heads(x)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(WIDTH // HEADS)).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(x.shape))


class Sdpa(FusedQkv):
    def forward(self, x):
        return self.proj(functional.scaled_dot_product_attention(*self.heads(x)).transpose(1, 2).reshape(x.shape))


class SeparateQkv(nn.Module):
    """Queries, keys and values from three maps; the output projection has no bias."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.dense = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x):
        split = lambda y: y.view(x.shape[0], -1, HEADS, WIDTH // HEADS).permute(0, 2, 1, 3)
        q, k, v = (split(f(x)) for f in (self.query, self.key, self.value))
        weights = functional.softmax(q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS), dim=-1)
        return self.dense((weights @ v).permute(0, 2, 1, 3).flatten(2))


class EinsumProjection(nn.Module):
    """Heads are merged by the projection itself, as in exports from JAX."""

    def __init__(self):
        super().__init__()
        size = WIDTH // HEADS
        self.qkv = nn.Parameter(torch.randn(3, WIDTH, HEADS, size) / 4)
        self.out, self.bias = nn.Parameter(torch.randn(HEADS, size, WIDTH) / 4), nn.Parameter(torch.randn(WIDTH) / 4)

    def forward(self, x):
        q, k, v = (torch.einsum("bnd,dhe->bnhe", x, w) for w in self.qkv)
        weights = (torch.einsum("bqhe,bkhe->bhqk", q, k) / math.sqrt(WIDTH // HEADS)).softmax(-1)
        return torch.einsum("bqhe,hed->bqd", torch.einsum("bhqk,bkhe->bqhe", weights, v), self.out) + self.bias


class TokensFirst(nn.Module):
    """torch.nn.MultiheadAttention, tokens × batch × width, projected as one flat matrix."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Block(nn.Module):
    def __init__(self, attention, post_norm, scale):
        super().__init__()
        self.attention, self.post_norm = attention(), post_norm
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 32), nn.GELU(), nn.Linear(32, WIDTH))
        self.scale = nn.Parameter(torch.rand(WIDTH) / 2) if scale else None

    def forward(self, x):
        if self.post_norm:
            x = self.norm1(x + self.attention(x))
            return self.norm2(x + self.mlp(x))
        y = self.attention(self.norm1(x))
        x = x + (y if self.scale is None else y * self.scale)
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """Tokens: class, registers, patches. With `pool` an attention pooling and a softmax end it, which are no blocks."""

    def __init__(self, attention, registers=0, post_norm=False, scale=False, tokens_first=False, pool=False):
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.extra = nn.Parameter(torch.randn(1, 1 + registers, WIDTH))
        self.position = nn.Parameter(torch.randn(1, (SIZE // PATCH) ** 2, WIDTH))
        self.blocks = nn.ModuleList(Block(attention, post_norm, scale) for _ in range(DEPTH))
        self.tokens_first = tokens_first
        self.probe = nn.Parameter(torch.randn(1, 1, WIDTH)) if pool else None
        self.pool = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True) if pool else None
        self.mlp = nn.Linear(WIDTH, WIDTH)

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2) + self.position
        x = torch.cat([self.extra.expand(x.shape[0], -1, -1), x], dim=1)
        x = x.transpose(0, 1) if self.tokens_first else x
        for block in self.blocks:
            x = block(x)
        x = x.transpose(0, 1) if self.tokens_first else x
        if self.pool is None:
            return x
        pooled = self.pool(self.probe.expand(x.shape[0], -1, -1), x, x, need_weights=False)[0]
        return (pooled + self.mlp(functional.layer_norm(pooled, [WIDTH])))[:, 0].softmax(-1)


def pixels():
    """The input of every model: 2 images of 3 × SIZE × SIZE values in [-1, 1], by a formula."""
    i = np.arange(2 * 3 * SIZE * SIZE)
    return torch.from_numpy((i * 7919 % 2003 / 1001 - 1).astype(np.float32).reshape(2, 3, SIZE, SIZE))


def photographs():
    """2 images of SIZE x SIZE x 3 bytes by a formula, scaled to [-1, 1] as an image processor does."""
    image = np.arange(2 * SIZE * SIZE * 3).reshape(2, SIZE, SIZE, 3) * 7919 % 251
    return torch.from_numpy(((image / 255).astype(np.float32) - np.float32(0.5)) / np.float32(0.5)).permute(0, 3, 1, 2)


def attention_outputs(model, images):
    found = []
    hooks = [b.attention.register_forward_hook(lambda m, i, o: found.append(o)) for b in model.blocks]
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    found = [y.transpose(0, 1) if model.tokens_first else y for y in found]
    return [[round(v, 6) for v in y.flatten().tolist()] for y in found]


def export(model, path, opset, dynamo, batch="dynamic"):
    example = pixels() if batch == "dynamic" else pixels()[:1]
    names = {"input_names": ["pixel_values"], "output_names": ["last"], "opset_version": opset}
    if dynamo:
        shapes = ({0: torch.export.Dim("batch")},) if batch == "dynamic" else None
        torch.onnx.export(model, (example,), path, dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False, **names)
    else:
        axes = {"pixel_values": {0: "batch"}} if batch == "dynamic" else None
        torch.onnx.export(model, (example,), path, dynamo=False, dynamic_axes=axes, **names)
    proto = onnx.load(path)
    for node in proto.graph.node:  # the exporter's notes hold paths of the machine
        del node.metadata_props[:]
        node.doc_string = ""
    for value in [*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]:
        del value.metadata_props[:]
    del proto.graph.metadata_props[:], proto.metadata_props[:]
    onnx.save(proto, path)


def fuse(source, path, kind):
    """What ONNX Runtime's transformer optimizer makes of FusedQkv blocks, made by hand: com.microsoft nodes."""
    model = onnx.load(source)
    graph = model.graph
    producer = {name: node for node in graph.node for name in node.output}
    consumers = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    doomed, added, weights = [], [], {i.name: i for i in graph.initializer}
    for layer, softmax in enumerate([n for n in graph.node if n.op_type == "Softmax"]):
        product = consumers[softmax.output[0]][0]
        node = product
        while node.op_type != "MatMul" or node is product:
            node = next(n for n in consumers[node.output[0]] if n.op_type in ("Transpose", "Reshape", "MatMul"))
        projection = node
        add = consumers[projection.output[0]][0]
        # Upstream to the qkv projection: its MatMul is the first with a stored weight.
        up = producer[product.input[1]]
        while not (up.op_type == "MatMul" and up.input[1] in weights):
            up = producer[next(n for n in up.input if n in producer)]
        qkv_add = consumers[up.output[0]][0]
        bias = next(n for n in qkv_add.input if n in weights)
        merged = projection.input[0]
        if kind == "Attention":
            fused = helper.make_node("Attention", [up.input[0], up.input[1], bias], [f"fused_{layer}"], domain="com.microsoft", num_heads=HEADS)
            added.append((fused, projection))
        else:
            names = [f"{part}_{layer}" for part in "qkv"]
            split = helper.make_node("Split", [qkv_add.output[0]], names, axis=2)
            if model.opset_import[0].version >= 18:
                split.attribute.append(helper.make_attribute("num_outputs", 3))
            fused = helper.make_node("MultiHeadAttention", names, [f"fused_{layer}"], domain="com.microsoft", num_heads=HEADS)
            added += [(split, projection), (fused, projection)]
        projection.input[0] = fused.output[0]
        if kind == "Attention":  # the projection's bias goes into the fused residual add, as the optimizer has it
            residual = consumers[add.output[0]][0]
            other = next(n for n in residual.input if n != add.output[0])
            proj_bias = next(n for n in add.input if n in weights)
            norm = next(n for n in consumers[residual.output[0]] if n.op_type == "LayerNormalization")
            skip = helper.make_node(
                "SkipLayerNormalization",
                [other, projection.output[0], norm.input[1], norm.input[2], proj_bias],
                [norm.output[0], "", "", residual.output[0]],
                domain="com.microsoft", epsilon=1e-5,
            )
            added.append((skip, norm))
            doomed += [add, residual, norm]
    order = []
    for node in graph.node:
        order += [new for new, before in added if before is node]
        if all(node is not d for d in doomed):
            order.append(node)
    # Drop what nothing needs any more.
    needed, kept = {o.name for o in graph.output}, []
    for node in reversed(order):
        if any(o in needed for o in node.output if o):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    del graph.value_info[:]
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, path)


def no_attention(path):
    """A convolution and a softmax: nothing to find."""
    weight = numpy_helper.from_array(np.ones((4, 3, 8, 8), np.float32), "weight")
    nodes = [helper.make_node("Conv", ["x", "weight"], ["y"], strides=[8, 8]), helper.make_node("Softmax", ["y"], ["z"], axis=1)]
    graph = helper.make_graph(
        nodes, "plain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        [weight],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


MODELS = {
    "fused_qkv_ts17": (FusedQkv, {}, 17, False),
    "fused_qkv_ts11": (FusedQkv, {}, 11, False),
    "separate_qkv_post_norm_ts13": (SeparateQkv, {"post_norm": True}, 13, False),
    "sdpa_ts14": (Sdpa, {}, 14, False),
    "einsum_ts17": (EinsumProjection, {}, 17, False),
    "tokens_first_gemm_ts17": (TokensFirst, {"tokens_first": True}, 17, False),
    "pooled_ts17": (FusedQkv, {"pool": True}, 17, False),
    "fused_qkv_dynamo18": (FusedQkv, {}, 18, True),
    "registers_layer_scale_dynamo18": (Sdpa, {"registers": 4, "scale": True}, 18, True),
    "separate_qkv_post_norm_dynamo18": (SeparateQkv, {"post_norm": True}, 18, True),
    "tokens_first_one_image_dynamo18": (TokensFirst, {"tokens_first": True}, 18, True),
    "attention_node_dynamo23": (Sdpa, {"scale": True}, 23, True),
    "one_image_ts17": (FusedQkv, {}, 17, False),
}


def main():
    golden = {}
    for seed, (name, (attention, options, opset, dynamo)) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        model = ViT(attention, **options).eval()
        path = str(HERE / f"{name}.onnx")
        export(model, path, opset, dynamo, "one" if "one_image" in name else "dynamic")
        golden[name] = {"heads": HEADS, "width": WIDTH, "registers": options.get("registers", 0), "outputs": attention_outputs(model, pixels()), "photographs": attention_outputs(model, photographs())}
    for kind in ("Attention", "MultiHeadAttention"):
        name = f"microsoft_{kind.lower()}"
        fuse(str(HERE / "fused_qkv_ts17.onnx"), str(HERE / f"{name}.onnx"), kind)
        golden[name] = golden["fused_qkv_ts17"]
    no_attention(str(HERE / "no_attention.onnx"))
    (HERE / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
