/** Hugging Face's image processors by class: what each does where its file is silent, and what it does in a way of its own. */

/** What a class does where its file says nothing. */
export interface ImageProcessor {
  /** As a file would have it. */
  size: unknown;
  /** Whether a size that is one number is both sides, else the shorter one. */
  square: boolean;
  /** Pillow's number of the filter. */
  resample: number;
  /** Size of the middle that is cut out. */
  crop?: number;
  /** The middle is cut out only where the file asks for it. */
  cropsOnDemand?: true;
  mean: number[];
  std: number[];
  /** Keys that this class alone reads. */
  own?: string[];
  /** Keys of all classes that this one passes over, so that they have to be off. */
  ignores?: string[];
}

const HALF = [0.5, 0.5, 0.5];
const STANDARD = { mean: HALF, std: HALF };
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const CLIP = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};
const BILINEAR = 2, BICUBIC = 3;
const square = (side: number) => ({ size: { height: side, width: side }, square: true });
const shorter = (side: number) => ({ size: { shortest_edge: side }, square: false });

/** By class, without "ImageProcessor". */
export const IMAGE_PROCESSORS: Readonly<Record<string, ImageProcessor>> = {
  Beit: { ...square(224), ...STANDARD, resample: BICUBIC, crop: 224, cropsOnDemand: true },
  Bit: { ...shorter(224), ...CLIP, resample: BICUBIC, crop: 224 },
  Blip: { ...square(384), ...CLIP, resample: BICUBIC },
  ChineseCLIP: { ...shorter(224), ...CLIP, resample: BICUBIC, crop: 224 },
  CLIP: { ...shorter(224), ...CLIP, resample: BICUBIC, crop: 224 },
  ConvNext: {
    ...shorter(384),
    ...STANDARD,
    resample: BICUBIC,
    own: ["crop_pct"],
    ignores: ["do_center_crop"],
  },
  DeiT: { ...square(256), ...STANDARD, resample: BICUBIC, crop: 224 },
  DINOv3ViT: { ...square(224), ...IMAGENET, resample: BILINEAR },
  DPT: {
    ...square(384),
    ...STANDARD,
    resample: BICUBIC,
    own: ["keep_aspect_ratio", "ensure_multiple_of"],
  },
  EfficientFormer: { ...square(224), ...IMAGENET, resample: BICUBIC, crop: 224 },
  EfficientNet: {
    ...square(346),
    ...STANDARD,
    resample: BICUBIC,
    crop: 289,
    cropsOnDemand: true,
    own: ["rescale_offset", "include_top"],
  },
  Levit: { ...shorter(224), ...IMAGENET, resample: BICUBIC, crop: 224 },
  MobileNetV1: { ...shorter(256), ...STANDARD, resample: BILINEAR, crop: 224 },
  MobileNetV2: { ...shorter(256), ...STANDARD, resample: BILINEAR, crop: 224 },
  MobileViT: {
    ...shorter(224),
    ...STANDARD,
    resample: BICUBIC,
    crop: 256,
    own: ["do_flip_channel_order"],
    ignores: ["do_normalize"],
  },
  OwlViT: { ...square(768), ...CLIP, resample: BICUBIC, crop: 768, cropsOnDemand: true },
  Perceiver: { ...square(224), ...IMAGENET, resample: BICUBIC, crop: 256 },
  Pvt: { ...square(224), ...IMAGENET, resample: BICUBIC },
  Segformer: { ...square(512), ...IMAGENET, resample: BILINEAR, ignores: ["do_center_crop"] },
  Siglip: { ...square(224), ...STANDARD, square: false, resample: BICUBIC },
  ViT: { ...square(224), ...STANDARD, resample: BILINEAR },
};

/** Why some classes are left out. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  Owlv2: "it pads to a square and filters with a Gaussian",
  Siglip2:
    "it resizes to a number of patches that differs by photograph; the models of one size have SiglipImageProcessor",
  TimmWrapper: "its steps are in timm's config.json",
  VideoMAE: "it prepares videos",
  Vivit: "it prepares videos",
  ZoeDepth: "it pads by reflection and aligns corners",
};

/** A file that says so states torchvision's own transforms of a Pillow image, `Resize` and `CenterCrop`. */
export const TORCHVISION = "torchvision";

/**
 * The class that a file names, without "ImageProcessor" and what says by which library it computes; a class of before
 * transformers 4.25 is named `feature_extractor_type`.
 *
 * @returns undefined where the file names none
 */
export function classNamed(json: Readonly<Record<string, unknown>>): string | undefined {
  const named = json.image_processor_type ?? json.feature_extractor_type;
  if (named === undefined || named === null) return undefined;
  return String(named).replace(/(?:ImageProcessor|FeatureExtractor)(?:Fast|Pil)?$/, "");
}

/** The class of a model whose preprocessor file names none, by `model_type` of its config.json. */
const BY_MODEL: Readonly<Record<string, string>> = {
  beit: "Beit",
  "data2vec-vision": "Beit",
  blip: "Blip",
  chinese_clip: "ChineseCLIP",
  clip: "CLIP",
  convnext: "ConvNext",
  convnextv2: "ConvNext",
  deit: "DeiT",
  depth_anything: "DPT",
  dinov2: "Bit",
  dinov2_with_registers: "Bit",
  dinov3_vit: "DINOv3ViT",
  dpt: "DPT",
  efficientnet: "EfficientNet",
  ijepa: "ViT",
  levit: "Levit",
  mobilevit: "MobileViT",
  owlvit: "OwlViT",
  perceiver: "Perceiver",
  pvt: "Pvt",
  segformer: "Segformer",
  siglip: "Siglip",
  swin: "ViT",
  swinv2: "ViT",
  vit: "ViT",
  vit_mae: "ViT",
  vit_msn: "ViT",
};

/**
 * The image processor of a kind of model, as `AutoImageProcessor` has it.
 *
 * @param modelType `model_type` of config.json
 * @returns "ViTImageProcessor"; undefined where it is not known
 */
export function processorOfModel(modelType: unknown): string | undefined {
  const named = typeof modelType === "string" && Object.hasOwn(BY_MODEL, modelType) && BY_MODEL[modelType];
  return named ? `${named}ImageProcessor` : undefined;
}

/** What to say of a class that is not in the table. */
export function unknownClass(named: string): string {
  const reason = LEFT_OUT[named];
  const known = Object.keys(IMAGE_PROCESSORS).join(", ");
  return reason
    ? `which is not implemented, as ${reason}: docs/formats.md has those that are`
    : `expected one of ${known} (ImageProcessor): where one of them gives the same pixels, name it`;
}
