import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { preprocess, preprocessMask, previewCrop } from "../../../src/data/images/preprocess.ts";
import { goldenImage } from "../../golden/image.ts";
import golden from "../../golden/preprocess.json" with { type: "json" };
import pipeline from "../../golden/torchvision_pipeline.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import {
  afterView,
  otherUnit,
  parsePreprocessor,
  type Preprocessor,
  readPreprocessor,
  seenSize,
  viewOf,
} from "../../../src/data/images/preprocessor.ts";

const { clip, raw } = pipeline.configs;
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

const casesOf = (config: number) => golden.cases.filter((of) => of.config === config);

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
  const { config, from: [fromWidth, fromHeight], to: [width, height], crop, mask, input } of pipeline.cases
) {
  Deno.test(`preprocess() equals torchvision bit for bit: ${config}, ${fromWidth} × ${fromHeight}`, async () => {
    const preprocessor = await readConfig({
      ...pipeline.configs[config as keyof typeof pipeline.configs],
      image_processor_type: "torchvision",
    });
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

for (const [c, config] of golden.configs.entries()) {
  const { image_processor_type: name, ...keys } = config;
  Deno.test(`preprocess() equals transformers' ${name} ${JSON.stringify(keys)}`, () => {
    const preprocessor = parsePreprocessor(config, "a.json");
    for (const { from: [fromWidth, fromHeight], to: [width, height], sha256: hash, values } of casesOf(c)) {
      const model = preprocess(goldenImage(fromWidth, fromHeight), preprocessor);
      const from = `${fromWidth} × ${fromHeight}`;
      assertEquals([model.width, model.height], [width, height], from);
      if (values) {
        // Resized as floats; in a view as bytes, at most one level away.
        const viewed = preprocess(
          previewCrop(goldenImage(fromWidth, fromHeight), viewOf(preprocessor)),
          afterView(preprocessor, null),
        );
        const std = preprocessor.normalize!.std, pixels = width * height;
        const levels = ({ data }: { data: Float32Array }) =>
          Math.max(
            ...values.map((value, i) =>
              Math.abs(data[97 * i] - value) * 255 * std[Math.floor(97 * i / pixels)]
            ),
          );
        assert(levels(model) <= 0.005, `${from}: ${levels(model)} levels`);
        assert(levels(viewed) <= 1.01, `${from}: ${levels(viewed)} levels in a view`);
      } else assertEquals(sha256(new Uint8Array(model.data.buffer)), hash, from);
    }
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
  assertEquals(
    notJson.startsWith("Cannot use the preprocessor file a.json: it is not JSON: "),
    true,
    notJson,
  );
  assertEquals(
    await readError("[1]"),
    "Cannot use the preprocessor file a.json: it is [1], expected the object of a preprocessor_config.json.",
  );
});

const size = '1 to 4096 pixels as a number, {"shortest_edge"} or {"height", "width"}';
const off = "it off or absent, as this step is not implemented";
const unusable: [string, unknown, string][] = [
  ["size", { longest_edge: 9 }, size],
  ["size", { shortest_edge: 9, height: 12 }, size],
  ["size", { min_pixels: 9, max_pixels: 12 }, size],
  ["size", [9], size],
  ["size", 0, size],
  ["size", { height: 1e6, width: 1e6 }, size],
  ["size", undefined, size],
  ["resample", 1, "2 (bilinear) or 3 (bicubic)"],
  ["resample", 0, "2 (bilinear) or 3 (bicubic)"],
  ["resample", undefined, "2 (bilinear) or 3 (bicubic)"],
  ["crop_size", { shortest_edge: 9 }, '1 to 4096 pixels as a number or {"height", "width"}'],
  ["rescale_factor", "1/255", "a number above 0"],
  ["image_mean", [0.5], "three numbers"],
  ["image_std", [0.5, 0, 0.5], "three numbers above 0"],
  ["do_normalize", "yes", "true or false"],
  ["data_format", "channels_last", '"channels_first"'],
  ...[
    "do_pad",
    "do_zero_centering",
    "offset",
    "rescale_offset",
    "keep_aspect_ratio",
    "do_flip_channel_order",
    "do_thumbnail",
    "do_align_long_axis",
    "use_square_size",
    "a_step_of_tomorrow",
  ].map((key): [string, unknown, string] => [key, true, off]),
  ["ensure_multiple_of", 14, off],
  ["crop_pct", 0.875, off],
];
for (const [key, value, expected] of unusable) {
  const found = JSON.stringify(value) ?? "missing";
  Deno.test(`readPreprocessor() names a key it cannot use: ${key} ${found}`, async () => {
    const message = await readError(JSON.stringify({ ...clip, [key]: value }));
    const hint = value === undefined
      ? ', or the class that it is the default of, as "image_processor_type"'
      : "";
    assertEquals(message, `a.json: "${key}" is ${found}, expected ${expected}${hint}.`);
  });
}

Deno.test("readPreprocessor() reads a class by any of its names, and inside of processor_config.json", async () => {
  const plain = parsePreprocessor({ image_processor_type: "CLIPImageProcessor", size: 112 }, "a.json");
  assertEquals(plain.resize, { shortestEdge: 112 });
  for (
    const same of [
      { image_processor_type: "CLIPImageProcessorFast", size: { shortest_edge: 112, height: null } },
      { image_processor_type: "CLIPImageProcessorPil", size: 112, crop_size: null, image_mean: null },
      { feature_extractor_type: "CLIPFeatureExtractor", size: 112, rescale_factor: null },
      {
        image_processor: { image_processor_type: "CLIPImageProcessor", size: 112, do_pad: false },
        processor_class: "CLIPProcessor",
      },
    ]
  ) assertEquals(await readConfig(same), plain);
  const square = { image_processor_type: "CLIPImageProcessor", size: 112, default_to_square: true };
  assertEquals((await readConfig(square)).resize, { width: 112, height: 112 });
});

Deno.test("readPreprocessor() refuses by name what a class does not do, and classes that it does not know", () => {
  const refusal = (config: Record<string, unknown>) =>
    assertThrows(() => parsePreprocessor(config, "a.json"), Error).message;
  const known: [string, Record<string, unknown>, string][] = [
    ["Segformer", { do_center_crop: true }, `"do_center_crop" is true, expected ${off}.`],
    ["MobileViT", { do_normalize: true }, `"do_normalize" is true, expected ${off}.`],
    ["ViT", { crop_pct: 0.9 }, `"crop_pct" is 0.9, expected ${off}.`],
    [
      "ConvNext",
      { size: { height: 9, width: 9 } },
      `"size" is {"height":9,"width":9}, expected {"shortest_edge"} alone.`,
    ],
    ["DPT", { size: { shortest_edge: 9 } }, `"size" is {"shortest_edge":9}, expected {"height", "width"}.`],
    [
      "Levit",
      { size: { max_height: 9, max_width: 9 } },
      `"size" is {"max_height":9,"max_width":9}, expected {"shortest_edge"} or {"height", "width"}.`,
    ],
    ["DPT", { ensure_multiple_of: 0.5 }, `"ensure_multiple_of" is 0.5, expected a whole number.`],
    ["EfficientFormer", { crop_size: 240 }, `"crop_size" is 240, expected no more pixels than the size.`],
    ["CLIP", { resample: 1 }, `"resample" is 1, expected 0 (nearest), 2 (bilinear) or 3 (bicubic).`],
  ];
  for (const [name, keys, sentence] of known) {
    assertEquals(refusal({ image_processor_type: `${name}ImageProcessor`, ...keys }), `a.json: ${sentence}`);
  }
  const unknown = refusal({ image_processor_type: "Owlv2ImageProcessor" });
  assertEquals(
    unknown,
    'a.json: "image_processor_type" is "Owlv2ImageProcessor", which is not implemented, as it pads to a square and filters ' +
      "with a Gaussian: docs/formats.md has those that are.",
  );
  for (const key of ["image_processor_type", "feature_extractor_type"]) {
    assertStringIncludes(
      refusal({ ...clip, [key]: "NewImageProcessor" }),
      `"${key}" is "NewImageProcessor", expected one`,
    );
  }
});

Deno.test("otherUnit() says that mean and deviation are of bytes where pixels go from 0 to 1, and the reverse", () => {
  const said = (config: Record<string, unknown>) =>
    otherUnit(
      parsePreprocessor({ image_processor_type: "ViTImageProcessor", ...config }, "a.json"),
      "a.json",
    );
  const bytes = { image_mean: [127.5, 127.5, 127.5], image_std: [127.5, 127.5, 127.5] };
  const so = "features mean nothing unless the model was trained so";
  assertEquals(
    said(bytes),
    `a.json has "image_mean" [127.5,127.5,127.5], but its pixels go from 0 to 1 ("rescale_factor" 0.003922): ${so}`,
  );
  assertEquals(
    said({ do_rescale: false }),
    `a.json has "image_mean" [0.5,0.5,0.5], but its pixels go from 0 to 255 ("do_rescale" is off): ${so}`,
  );
  const caffe = { image_mean: [123.7, 116.8, 103.9], image_std: [1, 1, 1] };
  for (
    const usual of [{}, { do_normalize: false }, { ...bytes, do_rescale: false }, {
      ...caffe,
      do_rescale: false,
    }]
  ) assertEquals(said(usual), undefined, JSON.stringify(usual));
});

Deno.test("viewOf() and afterView() split what preprocess() does in one", () => {
  const image = goldenImage(75, 101);
  for (const config of golden.configs) {
    const preprocessor = parsePreprocessor(config, "a.json");
    const seen = previewCrop(image, viewOf(preprocessor)), size = seenSize(preprocessor);
    if (size) assertEquals([seen.width, seen.height], [size.width, size.height]);
    if (preprocessor.resizesFloats) continue;
    assertEquals(preprocess(seen, afterView(preprocessor, null)), preprocess(image, preprocessor));
  }
});

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
