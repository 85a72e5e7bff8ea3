/** Faults in `src/gpu`. */
import type { Mutant } from "./mutant.ts";

export const GPU: readonly Mutant[] = [
  {
    file: "src/gpu/buffer.ts",
    text: "gpu.memory.peak = Math.max(gpu.memory.peak, gpu.memory.inUse);",
    replacement: "gpu.memory.peak = gpu.memory.inUse;",
    breaks: "the peak of memory is what is in use now",
    tests: ["gpu/device_test.ts"],
  },
  {
    file: "src/gpu/buffer.ts",
    text: "if (!gpu.state.inUse.delete(buffer)) return;",
    replacement: "gpu.state.inUse.delete(buffer);",
    breaks: "a buffer released twice is handed out twice",
    tests: ["gpu/device_test.ts"],
  },
  {
    file: "src/gpu/buffer.ts",
    text: "  if (data.byteLength === 0) return;\n  flush(gpu);\n",
    replacement: "  if (data.byteLength === 0) return;\n",
    breaks: "a write overtakes the kernels recorded before it",
    tests: ["gpu/device_test.ts"],
  },
  {
    file: "src/gpu/kernel.ts",
    text: "const key = `${kernel.label} ${JSON.stringify(overrides)}`;",
    replacement: "const key = kernel.label;",
    breaks: "a pipeline is reused whatever its overrides",
    tests: ["embed/tsne_step_test.ts"],
  },
  {
    file: "src/gpu/kernel.ts",
    text: "  if (state.params!.used === SLOTS) flush(gpu);\n",
    replacement: "",
    breaks: "more dispatches than parameter slots overwrite the first ones",
    tests: ["gpu/device_test.ts"],
  },
  {
    file: "src/gpu/device.ts",
    text: "Math.min(options.bindingBytes ?? largest, largest);",
    replacement: "options.bindingBytes ?? largest;",
    breaks: "more binding bytes are taken than the adapter has",
    tests: ["gpu/device_test.ts"],
  },
  {
    file: "src/gpu/unroll.ts",
    text: "for (let i = Number(first); i < end; i += Number(step))",
    replacement: "for (let i = Number(first); i < end; i++)",
    breaks: "an unrolled loop ignores its step",
    tests: ["gpu/unroll_test.ts", "linalg/matmul_test.ts"],
  },
  {
    file: "src/gpu/smaller_parts.ts",
    text: "if (!(error instanceof OutOfMemory) || at === sizes.length - 1) throw error;",
    replacement: "if (at === sizes.length - 1) throw error;",
    breaks: "an error that is no lack of memory is swallowed and tried again",
    tests: ["gpu/smaller_parts_test.ts"],
  },
  {
    file: "src/gpu/device.ts",
    text: "if (!state.isReported || state.inUse.size > 0) return;",
    replacement: "if (!state.isReported) return;",
    breaks: "a failure is forgotten while others are at work, who go on with what was never computed",
    tests: ["gpu/failures_test.ts"],
  },
  {
    file: "src/gpu/device.ts",
    text: "if (!state.isReported || state.inUse.size > 0) return;",
    replacement: "if (state.inUse.size > 0) return;",
    breaks: "a failure that no call has thrown is forgotten",
    tests: ["gpu/failures_test.ts"],
  },
  {
    file: "src/gpu/buffer.ts",
    text: "    else await turnOfOthers();\n",
    replacement: "",
    breaks: "timers and signals have no turn while kernels run, and nothing can be stopped",
    tests: ["gpu/device_test.ts"],
  },
];
