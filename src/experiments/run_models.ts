/** The models of a run: all of them see the same part of a photograph, cut into the same patches. */
import { patchSize } from "../data/attention_outputs.ts";
import { readModelRecord } from "../data/model_record.ts";
import { readOnnx } from "../data/onnx_graph.ts";
import { type Preprocessor, readPreprocessor } from "../data/preprocess.ts";

/** One model of a run. */
export interface RunModel {
  /** Its ONNX file. */
  path: string;
  /** What happens to a photograph after the run's view of it. */
  preprocessor: Preprocessor;
  /** Register tokens; absent: found from the size of the patches. */
  registers?: number;
}

/** Models that can be compared patch by patch. */
export interface RunModels {
  /** In the order given. */
  models: RunModel[];
  /** Resize and crop of the first model, which all photographs go through. */
  view: Preprocessor;
}

/**
 * Reads preprocessing and records of models. Photographs are resized and cropped as the first model wants it; what it sees
 * is resized for the others, to as many pixels as give them equally many patches (224 × 224 with patches of 16, 196 × 196
 * with patches of 14: METHOD's 197 tokens an image).
 *
 * @param paths ONNX files, NAME.preprocessor.json beside each
 * @throws Error one sentence that names the file that is missing or cannot be used
 */
export async function openRunModels(paths: readonly string[]): Promise<RunModels> {
  const opened = [];
  for (const path of paths) {
    const preprocessor = await readPreprocessor(path.replace(/\.onnx$/, ".preprocessor.json"));
    const registers = (await readModelRecord(path))?.registers ?? undefined;
    const patch = paths.length > 1 ? patchSize(await readOnnx(path)) : null;
    opened.push({ path, preprocessor, patch, size: seenSize(preprocessor), registers });
  }
  const [first] = opened;
  const models = opened.map(({ path, preprocessor, patch, size, registers }): RunModel => {
    const seen = first.size && first.patch && patch && size
      ? {
        width: sameGrid(size.width, patch[1], Math.floor(first.size.width / first.patch[1])),
        height: sameGrid(size.height, patch[0], Math.floor(first.size.height / first.patch[0])),
      }
      : size ?? first.size;
    const isSeen = seen && first.size && seen.width === first.size.width && seen.height === first.size.height;
    const resize = seen && !isSeen ? seen : null;
    return {
      path,
      preprocessor: { ...preprocessor, resize, crop: null },
      ...(registers !== undefined && { registers }),
    };
  });
  const { resize, filter, crop } = first.preprocessor;
  return { models, view: { resize, filter, crop, rescale: null, normalize: null } };
}

/** Pixels along one side that give so many patches: the model's own where they do. */
function sameGrid(own: number, patch: number, patches: number): number {
  return Math.floor(own / patch) === patches ? own : patches * patch;
}

/** What all photographs end up as; null where that depends on the photograph. */
function seenSize({ resize, crop }: Preprocessor): { width: number; height: number } | null {
  return crop ?? (resize && "width" in resize ? resize : null);
}
