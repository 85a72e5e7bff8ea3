import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isFile } from "../../../src/data/files/plain_file.ts";

const ROOT = new URL("../../../", import.meta.url);
/** The software Vulkan driver of Debian's Chromium, which onnxruntime's WebGPU takes. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** What a program prints as JSON, with a Vulkan driver of its own. */
async function printed(code: string, driver: string): Promise<unknown> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", "--no-lock", code],
    cwd: ROOT.pathname,
    env: { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver },
  }).output();
  const text = new TextDecoder();
  assert(success, text.decode(stderr));
  return JSON.parse(text.decode(stdout));
}

const CHOOSE = `
  import { chooseProvider } from "./src/data/onnx/inference_provider.ts";
  const choices = ["cpu", "webgpu", "auto"];
  console.log(JSON.stringify(await Promise.all(choices.map((choice) => chooseProvider(choice)))));
`;
const COMPARE = `
  import { streamFeatures } from "./src/data/features/stream_features.ts";
  const data = Uint8Array.from({ length: 768 }, (_, at) => at * 7919 % 251), found = [];
  let ran;
  for (const provider of ["cpu", "webgpu"]) {
    await streamFeatures({
      model: "tests/golden/onnx_exports/timm_layer_scale_dynamo23.onnx", outDir: "", dtype: "float32", provider,
      preprocessor: { resize: null, filter: "bicubic", crop: null, rescale: 1 / 255, normalize: null },
      images: [{ name: "a", load: () => Promise.resolve({ width: 16, height: 16, data }) }],
    }, {
      begin: (manifest) => void (ran = manifest.provider),
      rows: (l, { vectors }) => void found.push({ ran, vectors: [...vectors] }),
    });
  }
  console.log(JSON.stringify(found));
`;

Deno.test({
  name: "chooseProvider() falls back to the processor with a line where no Vulkan driver is there",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const [cpu, webgpu, auto] = await printed(CHOOSE, "/nonexistent.json") as {
      provider: string;
      line?: string;
    }[];
    assertEquals(cpu, { provider: "cpu" });
    assertEquals([webgpu.provider, auto.provider], ["cpu", "cpu"]);
    assertStringIncludes(
      webgpu.line!,
      "models run on the processor, as onnxruntime's WebGPU does not start (",
    );
    assertStringIncludes(auto.line!, "models run on the processor, as ");
  },
});

Deno.test({
  name:
    "streamFeatures() gives the same by WebGPU as on the processor, to float32 (Chromium's software Vulkan driver)",
  ignore: !await isFile(SWIFTSHADER),
  fn: async () => {
    const found = await printed(COMPARE, SWIFTSHADER) as { ran: string; vectors: number[] }[];
    assertEquals(found.map(({ ran }) => ran), ["cpu", "cpu", "webgpu", "webgpu"]);
    for (const layer of [0, 1]) {
      const [own, other] = [found[layer].vectors, found[2 + layer].vectors];
      const largest = Math.max(...own.map(Math.abs)),
        off = Math.max(...own.map((value, i) => Math.abs(value - other[i])));
      assert(off <= 2e-6 * largest, `layer ${layer + 1} is off by ${off} of ${largest}`);
    }
  },
});
