/** Models as they are asked for: a built-in one by its name, one that was added by its name, any ONNX file by its path. */
import { basename, join } from "node:path";
import { assertFileRecorded, type ModelRecord, namesIn, readModelRecord } from "./model_record.ts";
import { isFile } from "../files/plain_file.ts";
import { CACHE_FOLDER, PROJECT_FOLDER } from "../files/project_folder.ts";
import { otherUnit, type Preprocessor, readPreprocessor } from "../images/preprocessor.ts";
import { report } from "../files/skipped.ts";

/** The embedded vision transformers. */
export const EMBEDDED_FOLDER: string = join(PROJECT_FOLDER, "fixtures/models");
/** Where `./run models add` puts models, a folder each. */
export const MODELS_FOLDER: string = join(CACHE_FOLDER, "models");

/** A model that was found, and what belongs to it. */
export interface KnownModel {
  /** Its ONNX file. */
  path: string;
  /** What happens to an image: as recorded, where there is a record. */
  preprocessor: Preprocessor;
  /** Register tokens as recorded; absent: found from the size of the patches. */
  registers?: number;
  /** What was noted when it was added; null for one that lies there by itself. */
  record: ModelRecord | null;
}

/**
 * Finds a model, and reads its preprocessing and its record.
 *
 * @param model a name or the path of an ONNX file; a name has no "/" and does not end in .onnx
 * @param folder of the models that were added
 * @throws Error 'There is no model "vit": give clip_tiny, …, or an ONNX file.'; "There is no model file vit.onnx."; "vit.pt is
 * no ONNX file: …"
 * @throws Error "There is no preprocessor file a.preprocessor.json: …"; those of `readPreprocessor`
 * @throws Error "a.preprocessor.json is not what was added from org/name (SHA-256 ab…, recorded cd…): …"
 */
export async function openKnownModel(model: string, folder = MODELS_FOLDER): Promise<KnownModel> {
  const path = await modelPath(model, folder);
  const preprocessing = path.replace(/\.onnx$/, ".preprocessor.json");
  const preprocessor = await readPreprocessor(preprocessing), unit = otherUnit(preprocessor, preprocessing);
  if (unit) report(unit);
  const record = await readModelRecord(path);
  if (record) await assertFileRecorded(preprocessing, record);
  const registers = record?.registers ?? undefined;
  return { path, preprocessor, record, ...(registers !== undefined && { registers }) };
}

/** Whether a name is that of an embedded model. */
export function isEmbedded(name: string): Promise<boolean> {
  return isFile(join(EMBEDDED_FOLDER, `${name}.onnx`));
}

async function modelPath(model: string, folder: string): Promise<string> {
  if (!/^[\w.-]+$/.test(model) || /\.[a-z]{2,}$/i.test(model)) {
    await assertModelFile(model);
    return model;
  }
  if (await isEmbedded(model)) return join(EMBEDDED_FOLDER, `${model}.onnx`);
  const added = join(folder, model, `${model}.onnx`);
  if (await isFile(added)) return added;
  const names = [
    ...(await namesIn(EMBEDDED_FOLDER, ({ name }) => name.endsWith(".onnx")))
      .map((name) => basename(name, ".onnx")).sort(),
    ...await namesIn(folder, ({ name, isDirectory }) => isDirectory && !name.startsWith(".")),
  ];
  throw new Error(
    `There is no model "${model}": give ${
      names.join(", ")
    }, what \`./run models add\` adds, or an ONNX file.`,
  );
}

/** Refuses what is no ONNX file by its name, or not there, before anything beside it is looked for. */
async function assertModelFile(path: string): Promise<void> {
  const stat = await Deno.stat(path).catch(() => null);
  if (stat?.isDirectory) {
    throw new Error(`${path} is a folder: --model takes an ONNX file, or a model's name.`);
  }
  if (!/\.onnx$/i.test(path)) {
    const isImage = /\.(?:jpe?g|png|webp|gif|tiff?|bmp|avif|heic)$/i.test(path);
    throw new Error(
      `${path} is no ONNX file: ${
        isImage ? "--model takes a vision transformer, photographs go by --images" : "export the model to one"
      }.`,
    );
  }
  if (!stat) throw new Error(`There is no model file ${path}.`);
  if (path.endsWith(".onnx")) return;
  throw new Error(`${path} does not end in .onnx as it is written here: rename it, in small letters.`);
}
