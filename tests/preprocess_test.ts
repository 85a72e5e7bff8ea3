import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import {
  preprocess,
  preprocessMask,
  type Preprocessor,
  previewCrop,
  readPreprocessor,
} from "../src/data/preprocess.ts";
import { goldenImage } from "./golden/image.ts";
import golden from "./golden/preprocess.json" with { type: "json" };
import { inTemporaryFolder } from "./in_temporary_folder.ts";

const { clip, raw } = golden.configs;
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

async function readConfig(config: unknown): Promise<Preprocessor> {
  let read: Preprocessor | undefined;
  await inTemporaryFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.json`, JSON.stringify(config));
    read = await readPreprocessor(`${dir}/a.json`);
  });
  return read!;
}

/** What readPreprocessor() says of a file with this text, or of none, without the folder. */
async function readError(text?: string): Promise<string> {
  let message = "";
  await inTemporaryFolder(async (dir) => {
    if (text !== undefined) await Deno.writeTextFile(`${dir}/a.json`, text);
    const error = await assertRejects(() => readPreprocessor(`${dir}/a.json`), Error);
    message = error.message.replace(`${dir}/`, "");
  });
  return message;
}

for (
  const { config, from: [fromWidth, fromHeight], to: [width, height], crop, mask, input } of golden.cases
) {
  Deno.test(`preprocess() equals torchvision bit for bit: ${config}, ${fromWidth} × ${fromHeight}`, async () => {
    const preprocessor = await readConfig(golden.configs[config as keyof typeof golden.configs]);
    const image = goldenImage(fromWidth, fromHeight);
    const preview = previewCrop(image, preprocessor);
    const classes = preprocessMask(
      { ...image, data: image.data.filter((_, i) => i % 3 === 2) },
      preprocessor,
    );
    const model = preprocess(image, preprocessor);
    for (const result of [preview, classes, model]) {
      assertEquals([result.width, result.height], [
        width,
        height,
      ]);
    }
    assertEquals(sha256(preview.data), crop, "the crop");
    assertEquals(sha256(classes.data), mask, "the mask");
    assertEquals(sha256(new Uint8Array(model.data.buffer)), input, "the model's input");
  });
}

Deno.test("readPreprocessor() reads one number as the shorter side before a crop, else as both sides", async () => {
  const before = await readConfig({ ...clip, size: 224, crop_size: 224 });
  assertEquals([before.resize, before.crop], [{ shortestEdge: 224 }, { width: 224, height: 224 }]);
  const alone = await readConfig({ ...clip, size: 224, do_center_crop: false });
  assertEquals([alone.resize, alone.crop], [{ width: 224, height: 224 }, null]);
});

Deno.test("readPreprocessor() leaves out what the file turns off", async () => {
  assertEquals(await readConfig({ ...raw, do_center_crop: false }), {
    resize: null,
    filter: "bicubic",
    crop: null,
    rescale: null,
    normalize: null,
  });
});

Deno.test("readPreprocessor() names a file that is missing or holds no JSON object", async () => {
  assertEquals(
    await readError(),
    "There is no preprocessor file a.json: put the model's preprocessor_config.json there.",
  );
  const notJson = await readError("{ size");
  assertEquals(notJson.startsWith("The preprocessor file a.json is not JSON: "), true, notJson);
  assertEquals(
    await readError("[1]"),
    "The preprocessor file a.json holds no object: expected a preprocessor_config.json.",
  );
});

const size = '1 to 4096 pixels as a number, {"shortest_edge"} or {"height", "width"}';
const unusable: [string, unknown, string][] = [
  ["size", { longest_edge: 9 }, size],
  ["size", { shortest_edge: 9, longest_edge: 12 }, size],
  ["size", 0, size],
  ["size", { height: 1e6, width: 1e6 }, size],
  ["size", undefined, size],
  ["resample", 1, "2 (bilinear) or 3 (bicubic)"],
  ["crop_size", { shortest_edge: 9 }, '1 to 4096 pixels as a number or {"height", "width"}'],
  ["rescale_factor", "1/255", "a number above 0"],
  ["image_mean", [0.5], "three numbers"],
  ["image_std", [0.5, 0, 0.5], "three numbers above 0"],
  ["do_normalize", "yes", "true or false"],
  ["do_pad", true, "it off or absent, as this step is not implemented"],
];
for (const [key, value, expected] of unusable) {
  const found = JSON.stringify(value) ?? "missing";
  Deno.test(`readPreprocessor() names a key it cannot use: ${key} ${found}`, async () => {
    const message = await readError(JSON.stringify({ ...clip, [key]: value }));
    assertEquals(message, `a.json: "${key}" is ${found}, expected ${expected}.`);
  });
}

Deno.test("previewCrop() names an image too long for its size", () => {
  const thin = { width: 1, height: 1e6, data: new Uint8Array(3e6) };
  const bare = { filter: "bicubic", crop: null, rescale: null, normalize: null } as const;
  for (
    const [resize, size] of [[{ shortestEdge: 128 }, "128 × 128000000"], [
      { width: 128, height: 9 },
      "128 × 9",
    ]] as const
  ) {
    assertThrows(
      () => previewCrop(thin, { ...bare, resize }, "a.png"),
      RangeError,
      `a.png is 1 × 1000000 pixels, resized ${size}: at most 100 million are made`,
    );
  }
});
