/** Options that name data and models of one's own. */
import { DATA_KINDS, type DataFolders, type DataKind } from "../data/datasets/data_parts.ts";
import { HOOKS } from "../data/onnx/block_hooks.ts";
import { EXTRACT_CHOICES } from "../data/onnx/inference_provider.ts";
import { oneOf, type Option, type OptionValues, repeated, wholeNumber } from "./option_kinds.ts";

/** Pixels that a stride may be at most. */
const MAX_STRIDE = 9999;

/** `--data KIND:DIR`: folders by kind, each kind once. */
const data: Option<DataFolders> = {
  value: "KIND:DIR",
  help:
    "your own data; repeat it for each kind: algonauts (one subject's folder of the 2023 release) or nsd (the " +
    "Natural Scenes Dataset, or one folder of betas in it), voc (PASCAL VOC, or any folder in its layout), " +
    "imagenet-seg (the folder of gtsegs_ijcv.mat)",
  read(texts) {
    const folders: DataFolders = {};
    for (const text of texts) {
      const [, kindText, path] = /^([^:]*):(.+)$/s.exec(text) ?? [];
      const kind = DATA_KINDS.find((known) => known === kindText && known !== "images");
      if (!kind) {
        throw new RangeError(
          `--data is "${text}": give algonauts:DIR, nsd:DIR, voc:DIR or imagenet-seg:DIR.`,
        );
      }
      setFolder(folders, kind, path);
    }
    return folders;
  },
};

/** `--images DIR`: one folder of photographs. */
const images: Option<string | undefined> = {
  value: "DIR",
  help: "your own photographs, without masks",
  read(texts) {
    const folders: DataFolders = {};
    for (const text of texts) {
      if (isFile(text)) {
        if (/\.onnx$/i.test(text)) {
          throw new RangeError(
            `--images is ${text}, a model: write --model ${text}, and --images with a folder.`,
          );
        }
        throw new RangeError(`--images is ${text}, a file: give the folder of photographs that it is in.`);
      }
      setFolder(folders, "images", text);
    }
    return folders.images;
  },
};

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false; // absent, or not to be read: said where it is opened
  }
}

function setFolder(folders: DataFolders, kind: DataKind, path: string): void {
  if (folders[kind] !== undefined) {
    const option = kind === "images" ? "--images" : `--data ${kind}:`;
    throw new RangeError(
      `${option} is given twice, ${folders[kind]} and ${path}: give one folder of each kind.`,
    );
  }
  folders[kind] = path;
}

/** Options that name data and models. */
export const DATA_OPTIONS = {
  data,
  images,
  model: repeated({
    value: "FILE",
    help: "a vision transformer as ONNX with FILE.preprocessor.json beside it, or the name of a model that " +
      "`./run models add` has added, or of a built-in one (clip_tiny, dino_tiny, mae_tiny); repeat it for several models",
    shown: "the three built-in models",
  }),
  hook: oneOf(HOOKS, {
    value: "NAME",
    help:
      "which part of each block is read: attention (its output before the residual addition), residual (the stream " +
      "after the block), mlp, or q, k, v (queries, keys and values as projected)",
    shown: "attention",
  }),
  stride: wholeNumber({
    help:
      "pixels between patches: the model runs on shifted images for finer maps (shift-and-stitch); half the " +
      "patch gives four times the patches in four times the time",
    shown: "the model's patch",
    from: 1,
    to: MAX_STRIDE,
  }),
  extract: oneOf(EXTRACT_CHOICES, {
    value: "WHERE",
    help: "where models run: cpu, webgpu (onnxruntime's own; falls back to the processor), or auto " +
      "(webgpu if there is a hardware adapter)",
    shown: "cpu",
  }),
};

/** Folders by kind, the photographs of `--images` included. */
export function foldersOf(
  { data, images }: Pick<OptionValues<typeof DATA_OPTIONS>, "data" | "images">,
): DataFolders {
  return images === undefined ? data : { ...data, images };
}
