"""One tiny vision transformer in the forms that exporters, quantisers, fusers and people give its graph.

Two blocks of 2 heads and 8 channels, one class token and 4 patches, random weights. Its attention outputs (after the output
projection and its bias, before the residual add) are named V1 and V2 in plain.onnx; truth.json has their values on images(),
by Python's onnxruntime. Each exact form is checked here to give the same last tensor as plain.onnx. forms.json says of each form
how many of which attention nodes lead to how many blocks, how far from plain.onnx it may be, or why it is refused.

Run: python make.py with onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6 (and torch 2.15.0, which onnxruntime.transformers imports).
It writes beside itself.
"""
import copy
import json
import logging
import random
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers import float16, optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

HERE = Path(__file__).parent
INT, INTS = onnx.AttributeProto.INT, onnx.AttributeProto.INTS
SIZE, PATCH, WIDTH, HEADS = 8, 4, 8, 2
TOKENS, HEAD = 1 + (SIZE // PATCH) ** 2, WIDTH // HEADS
logging.disable(logging.WARNING)


def images():
    """2 images of 3 x SIZE x SIZE values in [-1, 1] by a formula."""
    i = np.arange(2 * 3 * SIZE * SIZE)
    return (i * 7919 % 2003 / 1001 - 1).astype(np.float32).reshape(2, 3, SIZE, SIZE)


class Builder:
    """Nodes and weights; every method gives the name of a tensor."""

    def __init__(self, opset=18):
        self.nodes, self.stored, self.functions, self.opset = [], [], [], opset
        self.random, self.count, self.domains = np.random.default_rng(20), 0, {"": opset}

    def weight(self, *shape, gain=0.5):
        return self.keep((self.random.standard_normal(shape) * gain).astype(np.float32))

    def keep(self, values):
        name = f"w{len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def ints(self, *values):
        return self.keep(np.array(values, np.int64))

    def op(self, kind, *inputs, outputs=1, name=None, domain="", **attributes):
        self.count += 1
        names = [name] if name else [f"t{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{self.count}", domain=domain, **attributes))
        if domain:
            self.domains[domain] = 1
        return names[0] if outputs == 1 else names

    def model(self, last):
        graph = helper.make_graph(
            self.nodes, "vit", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)], self.stored)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid(*d) for d in self.domains.items()], functions=self.functions, ir_version=10)


def norm(b, x):
    return b.op("LayerNormalization", x, b.keep(np.ones(WIDTH, np.float32)), b.keep(np.zeros(WIDTH, np.float32)), axis=-1)


# The softmax, written in several ways.
def softmax(b, scores):
    return b.op("Softmax", scores, axis=-1)


def sum_of(b, x, kind="ReduceSum"):
    return b.op(kind, x, b.ints(-1), keepdims=1)


def softmax_exp(b, scores):
    e = b.op("Exp", scores)
    return b.op("Div", e, sum_of(b, e))


def softmax_max(b, scores):
    e = b.op("Exp", b.op("Sub", scores, sum_of(b, scores, "ReduceMax")))
    return b.op("Div", e, b.op("Add", sum_of(b, e), b.keep(np.float32(1e-20))))


def softmax_reciprocal(b, scores):
    e = b.op("Exp", scores)
    return b.op("Mul", e, b.op("Reciprocal", sum_of(b, e)))


def softmax_log(b, scores):
    return b.op("Exp", b.op("Sub", scores, sum_of(b, scores, "ReduceLogSumExp")))


def softmax_flat(b, scores):
    rows = b.op("Softmax", b.op("Flatten", scores, axis=3), axis=1)
    return b.op("Reshape", rows, b.ints(-1, HEADS, TOKENS, TOKENS))


def heads(b, x):
    return b.op("Transpose", b.op("Reshape", x, b.ints(0, TOKENS, HEADS, HEAD)), perm=[0, 2, 1, 3])


# Queries, keys and values, from one product or three.
def qkv_split(b, x, w, bias):
    y = b.op("Add", b.op("MatMul", x, b.keep(w)), b.keep(bias))
    return [heads(b, part) for part in b.op("Split", y, b.ints(WIDTH, WIDTH, WIDTH), outputs=3, axis=2)]


def qkv_slice(b, x, w, bias):
    y = b.op("Add", b.op("MatMul", x, b.keep(w)), b.keep(bias))
    y = b.op("Transpose", b.op("Reshape", y, b.ints(0, TOKENS, 3, HEADS, HEAD)), perm=[2, 0, 3, 1, 4])
    return [b.op("Squeeze", b.op("Slice", y, b.ints(i), b.ints(i + 1), b.ints(0)), b.ints(0)) for i in range(3)]


def qkv_three(b, x, w, bias):
    parts = [(w[:, i * WIDTH:(i + 1) * WIDTH], bias[i * WIDTH:(i + 1) * WIDTH]) for i in range(3)]
    return [heads(b, b.op("Add", b.op("MatMul", x, b.keep(m.copy())), b.keep(v.copy()))) for m, v in parts]


def qkv_einsum(b, x, w, bias):
    y = b.op("Einsum", x, b.keep(w.reshape(WIDTH, 3, HEADS, HEAD).copy()), equation="bnc,cthd->tbhnd")
    y = b.op("Add", y, b.keep(bias.reshape(3, 1, HEADS, 1, HEAD).copy()))
    return [b.op("Gather", y, b.keep(np.int64(i)), axis=0) for i in range(3)]


def merge(b, x):
    return b.op("Reshape", b.op("Transpose", x, perm=[0, 2, 1, 3]), b.ints(0, TOKENS, WIDTH))


# The output projection.
def project(b, x, w, bias, name):
    return b.op("Add", b.op("MatMul", x, b.keep(w)), b.keep(bias), name=name)


def project_gemm(b, x, w, bias, name):
    y = b.op("Gemm", b.op("Reshape", x, b.ints(-1, WIDTH)), b.keep(w), b.keep(bias))
    return b.op("Reshape", y, b.ints(-1, TOKENS, WIDTH), name=name)


def project_low_rank(b, x, w, bias, name):
    u, s, v = np.linalg.svd(w)
    y = b.op("MatMul", b.op("MatMul", x, b.keep((u * s).astype(np.float32))), b.keep(v.astype(np.float32)))
    return b.op("Add", y, b.keep(bias), name=name)


def project_lora(b, x, w, bias, name):
    u, s, v = np.linalg.svd(w)
    part = b.op("MatMul", b.op("MatMul", x, b.keep((u * s)[:, :4].astype(np.float32))), b.keep(v[:4].astype(np.float32)))
    rest = b.op("MatMul", x, b.keep(((u * s)[:, 4:] @ v[4:]).astype(np.float32)))
    return b.op("Add", b.op("Add", rest, b.keep(bias)), part, name=name)


def vit(soft=softmax, qkv=qkv_split, projection=project, attend=None, residual=None, head=None, only=(0, 1), opset=18):
    """The model; in the blocks `only` with these parts, in the others plain. Weights do not depend on the parts."""
    b = Builder(opset)
    weights = np.random.default_rng(7)
    draw = lambda *shape: (weights.standard_normal(shape) * (0.5 if len(shape) > 1 else 0.1)).astype(np.float32)
    patches = b.op("Conv", "pixels", b.keep(draw(WIDTH, 3, PATCH, PATCH)), b.keep(draw(WIDTH)), kernel_shape=[PATCH] * 2, strides=[PATCH] * 2)
    patches = b.op("Transpose", b.op("Reshape", patches, b.ints(0, WIDTH, -1)), perm=[0, 2, 1])
    batch = b.op("Slice", b.op("Shape", "pixels"), b.ints(0), b.ints(1))
    token = b.op("Expand", b.keep(draw(1, 1, WIDTH)), b.op("Concat", batch, b.ints(1, WIDTH), axis=0))
    x = b.op("Add", b.op("Concat", token, patches, axis=1), b.keep(draw(1, TOKENS, WIDTH)))
    for layer in range(2):
        own = layer in only
        w_qkv, b_qkv, w, bias = draw(WIDTH, 3 * WIDTH), draw(3 * WIDTH), draw(WIDTH, WIDTH), draw(WIDTH)
        y = norm(b, x)
        if own and attend:
            y = attend(b, y, w_qkv, b_qkv)
        else:
            q, k, v = (qkv if own else qkv_split)(b, y, w_qkv, b_qkv)
            scores = b.op("MatMul", b.op("Mul", q, b.keep(np.float32(HEAD**-0.5))), b.op("Transpose", k, perm=[0, 1, 3, 2]))
            y = merge(b, b.op("MatMul", (soft if own else softmax)(b, scores), v))
        if own and residual:
            x = residual(b, x, y, w, bias, f"V{layer + 1}")
        else:
            x = b.op("Add", x, (projection if own else project)(b, y, w, bias, f"V{layer + 1}"))
        y = b.op("Add", b.op("MatMul", norm(b, x), b.keep(draw(WIDTH, 2 * WIDTH))), b.keep(draw(2 * WIDTH)))
        y = b.op("MatMul", b.op("Relu", y), b.keep(draw(2 * WIDTH, WIDTH)))
        x = b.op("Add", x, y, name="last" if layer == 1 and not head else None)
    if head:
        head(b, x, draw)
    return b.model("last")


# Attention as a whole, written in other ways.
def after_values(b, y, w_qkv, b_qkv):
    """exp(scores) times values, then divided by the sum, as fast kernels order it."""
    q, k, v = qkv_split(b, y, w_qkv, b_qkv)
    e = b.op("Exp", b.op("MatMul", b.op("Mul", q, b.keep(np.float32(HEAD**-0.5))), b.op("Transpose", k, perm=[0, 1, 3, 2])))
    return merge(b, b.op("Div", b.op("MatMul", e, v), sum_of(b, e)))


def twice(b, y, w_qkv, b_qkv, adds="Sub"):
    """Differential attention: two softmaxes, 1.25 of one less 0.25 of the other, which is the same as one."""
    q, k, v = qkv_split(b, y, w_qkv, b_qkv)
    kt = b.op("Transpose", k, perm=[0, 1, 3, 2])
    parts = []
    for gain in (1.25, 0.25 if adds == "Sub" else -0.25):
        scores = b.op("MatMul", b.op("Mul", q, b.keep(np.float32(HEAD**-0.5))), kt)
        part = softmax(b, scores)
        part = b.op("MatMul", part, v) if adds == "Add" else part
        parts.append(b.op("Mul", part, b.keep(np.float32(gain))))
    both = b.op(adds, *parts)
    return merge(b, both if adds == "Add" else b.op("MatMul", both, v))


def attention_23(b, y, w_qkv, b_qkv):
    parts = [b.op("Add", b.op("MatMul", y, b.keep(w_qkv)), b.keep(b_qkv))]
    q, k, v = b.op("Split", *parts, b.ints(WIDTH, WIDTH, WIDTH), outputs=3, axis=2)
    return b.op("Attention", q, k, v, q_num_heads=HEADS, kv_num_heads=HEADS)


def microsoft(kind):
    def attend(b, y, w_qkv, b_qkv):
        name = dict(domain="com.microsoft", num_heads=HEADS)
        if kind == "Attention":
            return b.op(kind, y, b.keep(w_qkv), b.keep(b_qkv), **name)
        if kind == "QAttention":
            scale, zero = np.abs(y_range := np.float32(3)) / np.float32(127), b.keep(np.uint8(128))
            steps = np.float32(np.abs(w_qkv).max() / 127)
            quantized = b.op("QuantizeLinear", y, b.keep(np.float32(scale)), zero)
            weight = b.keep(np.round(w_qkv / steps).astype(np.int8))
            return b.op(kind, quantized, weight, b.keep(b_qkv), b.keep(np.float32(scale)), b.keep(steps), "", zero, b.keep(np.int8(0)), **name)
        y = b.op("Add", b.op("MatMul", y, b.keep(w_qkv)), b.keep(b_qkv))
        q, k, v = b.op("Split", y, b.ints(WIDTH, WIDTH, WIDTH), outputs=3, axis=2)
        if kind == "MultiHeadAttention":
            return b.op(kind, q, k, v, **name)
        if kind == "GroupQueryAttention":
            lengths = b.keep(np.full(2, TOKENS - 1, np.int32)), b.keep(np.int32(TOKENS))
            return b.op(kind, q, k, v, "", "", *lengths, outputs=3, kv_num_heads=HEADS, **name)[0]
        if kind == "LongformerAttention":
            return b.op(kind, q, b.keep(w_qkv), b.keep(b_qkv), k, b.keep(w_qkv), b.keep(b_qkv), k, window=2, **name)
        return b.op(kind, q, k, v, b.ints(0), b.ints(0), **name)
    return attend


def in_functions(b, y, w_qkv, b_qkv):
    """A function of a function with attributes, one of them left to its default."""
    own = dict(opset_imports=[helper.make_opsetid("", b.opset), helper.make_opsetid("local", 1)])
    if not b.functions:
        soft = helper.make_node("Softmax", ["x"], ["y"], name="soft")
        soft.attribute.append(helper.make_attribute_ref("axis", INT, ref_attr_name="along"))
        inner = helper.make_function("local", "Soft", ["x"], ["y"], [soft], attributes=["along"], **own)
        weigh = helper.make_node("Soft", ["scaled"], ["y"], name="weigh", domain="local")
        weigh.attribute.append(helper.make_attribute_ref("along", INT, ref_attr_name="axis"))
        turn = helper.make_node("Transpose", ["k"], ["turned"])
        turn.attribute.append(helper.make_attribute_ref("perm", INTS, ref_attr_name="perm"))
        outer = helper.make_function(
            "local", "Attend", ["q", "k", "v", "scale"], ["out"],
            [turn, helper.make_node("MatMul", ["q", "turned"], ["scores"]), helper.make_node("Mul", ["scores", "scale"], ["scaled"]),
             weigh, helper.make_node("MatMul", ["y", "v"], ["out"], name="values")],
            attributes=["axis"], attribute_protos=[helper.make_attribute("perm", [0, 1, 3, 2])], **own)
        b.functions += [inner, outer]
        b.domains["local"] = 1
    q, k, v = qkv_split(b, y, w_qkv, b_qkv)
    return merge(b, b.op("Attend", q, k, v, b.keep(np.float32(HEAD**-0.5)), domain="local", axis=-1))


def block_in_function(b, x, y, w, bias, name):
    if not b.functions:
        b.functions.append(helper.make_function(
            "local", "Project", ["x", "y", "w", "b"], ["z"],
            [helper.make_node("MatMul", ["y", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["v"]), helper.make_node("Add", ["x", "v"], ["z"])],
            [helper.make_opsetid("", b.opset)]))
    return b.op("Project", x, y, b.keep(w), b.keep(bias), domain="local")


# The residual add in other ways.
def bias_last(b, x, y, w, bias, name):
    return b.op("Add", b.op("Add", x, b.op("MatMul", y, b.keep(w))), b.keep(bias))


def sum_of_three(b, x, y, w, bias, name):
    return b.op("Sum", x, b.op("MatMul", y, b.keep(w)), b.keep(bias))


def scaled_stream(b, x, y, w, bias, name):
    """As DeepNet: a multiple of the stream, in another type in between."""
    doubled = b.op("Mul", b.op("Cast", b.op("Cast", x, to=TensorProto.DOUBLE), to=TensorProto.FLOAT), b.keep(np.float32(1)))
    return b.op("Add", project(b, y, w, bias, name), doubled)


def gated(b, x, y, w, bias, name):
    gate = b.op("Sigmoid", b.op("MatMul", x, b.weight(WIDTH, 1)))
    return b.op("Add", x, b.op("Mul", project(b, y, w, bias, name), gate))


def stacked(b, x, y, w, bias, name):
    """As timm's ParallelThingsBlock: stacked with another branch, summed."""
    parts = [project(b, y, w, bias, name), b.op("MatMul", x, b.weight(WIDTH, WIDTH))]
    both = b.op("Concat", *[b.op("Unsqueeze", part, b.ints(0)) for part in parts], axis=0)
    return b.op("Add", x, b.op("ReduceSum", both, b.ints(0), keepdims=0))


def parallel(b, x, y, w, bias, name):
    """As timm's ParallelThingsBlock: two attentions side by side, stacked, summed."""
    draw = lambda *shape: (b.random.standard_normal(shape) * 0.3).astype(np.float32)
    q, k, v = qkv_split(b, norm(b, x), draw(WIDTH, 3 * WIDTH), draw(3 * WIDTH))
    beside = merge(b, b.op("MatMul", softmax(b, b.op("MatMul", q, b.op("Transpose", k, perm=[0, 1, 3, 2]))), v))
    parts = [project(b, y, w, bias, name), project(b, beside, draw(WIDTH, WIDTH), draw(WIDTH), f"{name}_beside")]
    both = b.op("Concat", *[b.op("Unsqueeze", part, b.ints(0)) for part in parts], axis=0)
    return b.op("Add", x, b.op("ReduceSum", both, b.ints(0), keepdims=0))


# What cannot be understood.
def no_projection(b, x, y, w, bias, name):
    return b.op("Add", x, y)


def perceptron(b, x, y, w, bias, name):
    y = b.op("Relu", project(b, y, w, bias, None))
    return b.op("Add", x, b.op("MatMul", y, b.weight(WIDTH, WIDTH)))


def sigmoid_attention(b, y, w_qkv, b_qkv):
    q, k, v = qkv_split(b, y, w_qkv, b_qkv)
    return merge(b, b.op("MatMul", b.op("Sigmoid", b.op("MatMul", q, b.op("Transpose", k, perm=[0, 1, 3, 2]))), v))


def by_elements(b, y, w_qkv, b_qkv):
    """Weighted sums without a product: weights x values, summed."""
    q, k, v = qkv_split(b, y, w_qkv, b_qkv)
    weights = softmax(b, b.op("MatMul", q, b.op("Transpose", k, perm=[0, 1, 3, 2])))
    each = b.op("Mul", b.op("Unsqueeze", weights, b.ints(4)), b.op("Unsqueeze", v, b.ints(2)))
    return merge(b, b.op("ReduceSum", each, b.ints(3), keepdims=0))


def custom(kind):
    return lambda b, y, w_qkv, b_qkv: b.op(kind, y, b.keep(w_qkv), b.keep(b_qkv), domain="my.operators")


def branch(b, scores):
    def graph(name):
        soft = helper.make_node("Softmax", [scores], [name], name=f"soft_{name}", axis=-1)
        return helper.make_graph([soft], name, [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)])
    return b.op("If", b.op("Greater", b.op("Size", scores), b.keep(np.int64(1))), then_branch=graph("then"), else_branch=graph("else"))


# Softmaxes that are no attention.
def classifier(b, x, draw):
    b.op("Softmax", b.op("MatMul", b.op("ReduceMean", x, b.ints(1), keepdims=0), b.keep(draw(WIDTH, 5))), axis=-1, name="last")


def pooling(b, x, draw):
    """A learned query attends to the tokens, a multilayer perceptron follows, and a classifier."""
    k, v = (heads(b, b.op("MatMul", x, b.keep(draw(WIDTH, WIDTH)))) for _ in range(2))
    weights = softmax(b, b.op("MatMul", b.keep(draw(1, HEADS, 1, HEAD)), b.op("Transpose", k, perm=[0, 1, 3, 2])))
    pooled = b.op("Reshape", b.op("Transpose", b.op("MatMul", weights, v), perm=[0, 2, 1, 3]), b.ints(0, 1, WIDTH))
    pooled = b.op("Add", b.op("MatMul", pooled, b.keep(draw(WIDTH, WIDTH))), b.keep(draw(WIDTH)))
    both = b.op("Add", pooled, b.op("MatMul", b.op("Relu", norm(b, pooled)), b.keep(draw(WIDTH, WIDTH))))
    b.op("Softmax", both, axis=-1, name="last")


def recogniser(b, x, draw):
    b.op("Softmax", b.op("MatMul", x, b.keep(draw(WIDTH, 7))), axis=2, name="last")


# What tools and people do to a whole file.
def in_order(model, order):
    nodes = list(model.graph.node)
    order(nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def constants(model):
    nodes = [helper.make_node("Constant", [], [t.name], value=t) for t in model.graph.initializer]
    del model.graph.initializer[:]
    return in_order(model, lambda old: old.__setitem__(slice(0, 0), nodes))


def halved(blocked):
    def change(model):
        kept = [n.name for n in model.graph.node if n.op_type == "Softmax"][:blocked]
        return float16.convert_float_to_float16(model, keep_io_types=True, node_block_list=kept)
    return change


def by_file(change):
    def changed(model):
        with tempfile.TemporaryDirectory() as folder:
            source, target = f"{folder}/a.onnx", f"{folder}/b.onnx"
            onnx.save(model, source)
            change(source, target)
            return onnx.load(target)
    return changed


class Calibration(CalibrationDataReader):
    def __init__(self):
        self.batches = iter([{"pixels": images()}])

    def get_next(self):
        return next(self.batches, None)


def static(layout, exclude=lambda nodes: []):
    def change(source, target):
        excluded = exclude([node.name for node in onnx.load(source).graph.node])
        quantize_static(
            source, target, Calibration(), quant_format=layout, nodes_to_exclude=excluded,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    return by_file(change)


def second_half(nodes):
    return nodes[len(nodes) // 2:]


def bits(model):
    quantizer = MatMulNBitsQuantizer(model, bits=8, block_size=16, is_symmetric=True)
    quantizer.process()
    return quantizer.model.model


def bits_bnb(model):
    quantizer = MatMulBnb4Quantizer(model, MatMulBnb4Quantizer.NF4, 16)
    quantizer.process()
    return quantizer.model.model


def fused(model):
    return by_file(lambda source, target: optimizer.optimize_model(
        source, model_type="vit", num_heads=HEADS, hidden_size=WIDTH, opt_level=0,
        optimization_options=FusionOptions("vit")).save_model_to_file(target))(model)


def optimized(model):
    def change(source, target):
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = target
        ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return by_file(change)(model)


plain = vit
TWO = "2 Softmax: 2 blocks"
# Each form, what counts it, and how far its features may be from those of plain.onnx (relative, root mean square).
EXACT = {
    "plain": (plain, TWO),
    "reversed": (lambda: in_order(plain(), list.reverse), TWO),
    "shuffled": (lambda: in_order(plain(), random.Random(5).shuffle), TWO),
    "constant_nodes": (lambda: constants(plain()), TWO),
    "softmax_exp": (lambda: vit(softmax_exp), "2 Exp: 2 blocks"),
    "softmax_max": (lambda: vit(softmax_max, only=(1,)), "1 Softmax, 1 Exp: 2 blocks"),
    "softmax_reciprocal": (lambda: vit(softmax_reciprocal, only=(0,)), "1 Exp, 1 Softmax: 2 blocks"),
    "softmax_log": (lambda: vit(softmax_log, only=(1,)), "1 Softmax, 1 Exp: 2 blocks"),
    "softmax_flat": (lambda: vit(softmax_flat), TWO),
    "softmax_after_values": (lambda: vit(attend=after_values), "2 Exp: 2 blocks"),
    "qkv_slice": (lambda: vit(qkv=qkv_slice), TWO),
    "qkv_three": (lambda: vit(qkv=qkv_three), TWO),
    "qkv_einsum": (lambda: vit(qkv=qkv_einsum), TWO),
    "project_gemm": (lambda: vit(projection=project_gemm), TWO),
    "project_low_rank": (lambda: vit(projection=project_low_rank), TWO),
    "project_lora": (lambda: vit(projection=project_lora), TWO),
    "differential": (lambda: vit(attend=twice), "4 Softmax: 2 blocks of 4"),
    "differential_products": (lambda: vit(attend=lambda *a: twice(*a, adds="Add")), "4 Softmax: 2 blocks of 4"),
    "functions": (lambda: vit(attend=in_functions), TWO),
    "function_of_one": (lambda: vit(residual=block_in_function, only=(1,)), TWO),
    "bias_last": (lambda: vit(residual=bias_last), TWO),
    "sum_of_three": (lambda: vit(residual=sum_of_three), TWO),
    "scaled_stream": (lambda: vit(residual=scaled_stream), TWO),
    "attention_23": (lambda: vit(attend=attention_23, opset=23), "2 Attention: 2 blocks"),
    "microsoft_attention": (lambda: vit(attend=microsoft("Attention"), only=(1,)), "1 Softmax, 1 Attention: 2 blocks"),
    "microsoft_multihead": (lambda: vit(attend=microsoft("MultiHeadAttention")), "2 MultiHeadAttention: 2 blocks"),
    "fused": (lambda: fused(plain()), None),
    "optimized": (lambda: optimized(plain()), TWO),
}
# Forms that end in another tensor: only the features of the first block are plain.onnx's, or both.
HEADED = {
    "classifier": (lambda: vit(head=classifier), "3 Softmax: 2 blocks, 1 joins no residual stream: Softmax_"),
    "pooling": (lambda: vit(head=pooling), "4 Softmax: 2 blocks, 2 join no residual stream: Softmax_"),
    "recogniser": (lambda: vit(head=recogniser), "3 Softmax: 2 blocks, 1 joins no residual stream: Softmax_"),
    "gated": (lambda: vit(residual=gated, only=(1,)), TWO),
    "stacked": (lambda: vit(residual=stacked, only=(1,)), TWO),
}
ROUNDED = {
    "float16": (lambda: halved(0)(plain()), TWO, 4e-3),
    "float16_one_softmax": (lambda: halved(1)(plain()), TWO, 4e-3),
    "float16_all_softmax": (lambda: halved(2)(plain()), TWO, 4e-3),
    "dynamic_int8": (lambda: by_file(quantize_dynamic)(plain()), TWO, 0.1),
    "qdq": (lambda: static(QuantFormat.QDQ)(plain()), TWO, 0.15),
    "qoperator": (lambda: static(QuantFormat.QOperator)(plain()), None, 0.15),
    "qoperator_half": (lambda: static(QuantFormat.QOperator, second_half)(plain()), None, 0.15),
    "matmul_8bits": (lambda: bits(plain()), TWO, 0.05),
    "matmul_bnb4": (lambda: bits_bnb(plain()), TWO, 0.4),
    "qattention": (lambda: vit(attend=microsoft("QAttention"), only=(1,)), "1 Softmax, 1 QAttention: 2 blocks", 0.1),
}
# Understood, but computed otherwise or by no processor: only counted.
COUNTED = {
    "group_query": (lambda: vit(attend=microsoft("GroupQueryAttention")), "2 GroupQueryAttention: 2 blocks"),
    "packed": (lambda: vit(attend=microsoft("PackedMultiHeadAttention")), "2 PackedMultiHeadAttention: 2 blocks"),
    "longformer": (lambda: vit(attend=microsoft("LongformerAttention"), only=(1,)), "1 Softmax, 1 LongformerAttention: 2 blocks"),
}
REFUSED = {
    "no_projection": (lambda: vit(residual=no_projection, only=(1,)), 2, "(Softmax), for no product with a stored matrix follows MatMul"),
    "perceptron": (lambda: vit(residual=perceptron, only=(1,)), 2, "(Softmax), for Relu (node of "),
    "sigmoid_attention": (lambda: vit(attend=sigmoid_attention, only=(1,)), 3, "(MatMul), for it multiplies two tensors that depend on the image"),
    "by_elements": (lambda: vit(attend=by_elements, only=(1,)), 2, "(Softmax), for no product with computed values follows Softmax"),
    "custom_attention": (lambda: vit(attend=custom("Mixer"), only=(1,)), 2, "(my.operators::Mixer), for that operator is not known"),
    "inside_if": (lambda: vit(branch, only=(1,)), 2, "(Softmax inside If), for the tensors inside If cannot be taken"),
}


def older_function():
    """A function that is written for other operators than the model."""
    model = vit(residual=block_in_function, only=(1,))
    model.functions[0].opset_import[0].version = 13
    return model


def run(model, tensors=()):
    model = copy.deepcopy(model)
    for name in tensors:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(["last", *tensors], {"pixels": images()})


def main():
    last, *truth = run(plain(), ["V1", "V2"])
    (HERE / "truth.json").write_text(json.dumps([[round(float(v), 6) for v in y.flatten()] for y in truth]) + "\n")
    forms = {}

    def save(name, model, facts):
        del model.graph.value_info[:]
        onnx.save(model, HERE / f"{name}.onnx")
        forms[name] = facts

    for name, (make, count) in EXACT.items():
        model = make()
        np.testing.assert_allclose(run(model)[0], last, rtol=2e-4, atol=2e-4, err_msg=name)
        save(name, model, {"count": count, "relative": 1e-4})
    for name, (make, count) in HEADED.items():
        model = make()
        run(model)
        save(name, model, {"count": count, "relative": 1e-4})
    for name, (make, count, relative) in ROUNDED.items():
        model = make()
        run(model)
        save(name, model, {"count": count, "relative": relative})
    for name, (make, count) in COUNTED.items():
        save(name, make(), {"count": count})
    for name, (make, nodes, why) in REFUSED.items():
        save(name, make(), {"nodes": nodes, "why": why})
    onnx.save(in_order(vit(residual=parallel), list.reverse), HERE / "parallel_reversed.onnx")
    onnx.save(older_function(), HERE / "older_function.onnx")
    (HERE / "forms.json").write_text(json.dumps(forms, indent=1) + "\n")


if __name__ == "__main__":
    main()
