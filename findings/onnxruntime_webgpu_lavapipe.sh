#!/bin/sh
# onnxruntime-node 1.30.0 has WebGPU built in on Linux, but it finds no adapter where Mesa 22.3.6's llvmpipe is the only one.
#
# Guess: WebGPU is for the browser build, or where it is native, any Vulkan driver that serves another WebGPU will do.
# Seen: listSupportedBackends() names webgpu, bundled. Its Dawn refuses llvmpipe of Mesa 22.3.6 ("Vulkan
#       shaderUniform*ArrayDynamicIndexing required", then "No supported adapters"), which wgpu, as in Deno 2.9.6, runs on.
#       With Chromium's SwiftShader as the driver the same session is made and runs.
# So:   a WebGPU adapter of the host says nothing about onnxruntime's: try a session on a model of one node, and fall back.
#
# Needs node 20 or later, npm, Mesa's llvmpipe and Debian's chromium. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0
# One Relu on two numbers: ir_version 8, opset 13.
cat >try.cjs <<'JS'
const ort = require("onnxruntime-node");
const model = Buffer.from("08083a370a0c0a0178120179220452656c751205747269616c5a0f0a0178120a0a08080112040a020802620f0a0179120a0a08080112040a02080242040a00100d", "hex");
ort.InferenceSession.create(model, { executionProviders: ["webgpu"], logSeverityLevel: 4 })
  .then((session) => session.run({ x: new ort.Tensor("float32", [-1, 2], [2]) }))
  .then(({ y }) => console.log(`runs: ${y.data}`), (error) => console.log(/No supported adapters/.test(error) ? "no adapter" : error));
JS
named=$(node -p 'require("onnxruntime-node").listSupportedBackends().some(({ name }) => name === "webgpu")')
with_driver() { VK_ICD_FILENAMES=$1 VK_DRIVER_FILES=$1 node try.cjs 2>warnings.txt; }
mesa=$(with_driver /usr/share/vulkan/icd.d/lvp_icd.x86_64.json)
swiftshader=$(with_driver /usr/lib/chromium/vk_swiftshader_icd.json)
echo "named: $named; llvmpipe: $mesa; SwiftShader: $swiftshader"
if [ "$named, $mesa, $swiftshader" = "true, no adapter, runs: 0,2" ]; then echo holds; else
  echo "changed: this finding no longer holds"
  exit 1
fi
