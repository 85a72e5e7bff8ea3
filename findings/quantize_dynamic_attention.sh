#!/bin/sh
# onnxruntime 1.32.0: quantize_dynamic turns ONNX's own Attention (opset 23) into a QAttention that onnxruntime does not load.
#
# Guess: an operator that the quantiser has no rule for stays in float32, as Softmax does; the file that it writes runs.
# Seen: it takes Attention(q, k, v) for com.microsoft's Attention(input, weights, bias), and writes a QAttention whose inputs are
#       those of neither: InferenceSession refuses the file as an invalid graph. The float32 model is valid and runs.
# So:   PyTorch's exporter writes Attention nodes from opset 23 on; export with an older opset, or exclude these nodes by name,
#       before a transformer is quantised. A reader of graphs cannot take an operator's name for its inputs.
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 sympy
py/bin/python - 2>warnings.txt <<'PY'
import sys
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic

random, width = numpy.random.default_rng(0), 16
weights = [numpy_helper.from_array(random.normal(size=(width, width)).astype("f4") / 4, f"w{n}") for n in "qkvo"]
nodes = [helper.make_node("MatMul", ["x", f"w{n}"], [n]) for n in "qkv"]
nodes.append(helper.make_node("Attention", ["q", "k", "v"], ["a"], name="attention", q_num_heads=2, kv_num_heads=2))
nodes.append(helper.make_node("MatMul", ["a", "wo"], ["y"]))
values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 5, width]) for n in "xy"]
graph = helper.make_graph(nodes, "block", values[:1], values[1:], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, "float.onnx")
x = random.normal(size=(1, 5, width)).astype("f4")


def run(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


run("float.onnx")
quantize_dynamic("float.onnx", "quantised.onnx")
quantize_dynamic("float.onnx", "excluded.onnx", nodes_to_exclude=["attention"])
run("excluded.onnx")
operators = [node.op_type for node in onnx.load("quantised.onnx").graph.node]
try:
    run("quantised.onnx")
    outcome = "it runs"
except Exception as error:
    outcome = "INVALID_GRAPH" if "INVALID_GRAPH" in str(error) else str(error)
print(f"QAttention in the file: {'QAttention' in operators}; loading it: {outcome}; with the node excluded it runs")
holds = "QAttention" in operators and outcome == "INVALID_GRAPH"
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
