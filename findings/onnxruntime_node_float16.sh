#!/bin/sh
# onnxruntime-node 1.30.0 cannot be given a float16 tensor by a runtime that has Float16Array, such as Node 24.
#
# Guess: what works on Node 20 works on Node 24, and there with Float16Array instead of Uint16Array.
# Seen: Node 20.20.2 runs a model of float16 input on a tensor made of Uint16Array. On Node 24.21.0 the same line makes a tensor
#       whose `data` is a Float16Array of the right values, and `run` rejects with "not enough space: expected 6, got 0"; so
#       does a tensor made of Float16Array or of numbers. Deno 2.9.6 does the same. If a tensor's data are put back to a
#       Uint16Array, Node 24 runs it and gives the right values.
# So:   a model in half precision that a project tested on Node 20 stops at the next runtime. Keep float32 inputs
#       (keep_io_types), or hand the addon bits as above.
#
# Needs python3 with venv, node and npm; about 400 MB of packages. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input onnx==1.23.2
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0
py/bin/python - <<'PY'
import onnx
from onnx import TensorProto, helper
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT16, [3])
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", [value("x")], [value("y")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, "identity.onnx")
PY
cat >run.mjs <<'JS'
import { InferenceSession, Tensor } from "onnxruntime-node";
const session = await InferenceSession.create("identity.onnx");
const bits = Uint16Array.of(0x3e00, 0x4100, 0xb400); // 1.5, 2.5, -0.25
const seen = [];
const run = async (tensor) => {
  try {
    const { y } = await session.run({ x: tensor });
    return Array.from(new Uint16Array(y.data.buffer, y.data.byteOffset, 3)).join() === bits.join() ? "right" : "wrong";
  } catch (error) {
    return error.message;
  }
};
const plain = new Tensor("float16", bits, [3]);
seen.push(plain.data.constructor.name, await run(plain));
if (typeof Float16Array !== "undefined") {
  seen.push(await run(new Tensor("float16", Float16Array.of(1.5, 2.5, -0.25), [3])));
  const back = new Tensor("float16", bits, [3]);
  Object.defineProperty(back, "data", { value: bits });
  seen.push(await run(back));
}
console.log(`Node ${process.version}:`, seen.join(" | "));
const space = "not enough space: expected 6, got 0";
const expected = typeof Float16Array === "undefined"
  ? ["Uint16Array", "right"]
  : ["Float16Array", space, space, "right"];
process.exit(seen.join() === expected.join() ? 0 : 1);
JS
holds=yes
for version in 20.20.2 24.21.0; do npx --yes "node@$version" run.mjs || holds=no; done
if [ $holds = yes ]; then echo holds; else echo "changed: this finding no longer holds"; exit 1; fi
