/** What was noted about a model when it was added: its source, license, registers and the SHA-256 of every file. */
import * as v from "valibot";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { reasonOf, writeFileAtomic } from "../files/atomic_write.ts";
import { objectOf, parseJson, recordOf, SHA256, TEXT, wholeNumber } from "../files/checked_json.ts";
import { fileSha256 } from "../files/file_hashes.ts";
import { assertInside } from "../hub/hub_cache.ts";
import { readPlainText } from "../files/plain_file.ts";

const RECORD = objectOf({
  /** What the model is called. */
  name: TEXT,
  /** The hub's id, an address, or a path. */
  source: TEXT,
  /** The hub's commit; null for other sources. */
  commit: v.nullable(TEXT),
  /** Of the weights; "unknown" when nobody said. */
  license: TEXT,
  /** What must not be concluded from it, where that is known. */
  caveat: v.optional(TEXT),
  /** Register tokens; null when they are to be found from the token count. */
  registers: v.nullable(wholeNumber()),
  /** Its attention nodes, as `describeCount` says it; absent in old records. */
  attention: v.optional(TEXT),
  /** Why it is right at its own size only; null where its positions follow the size; absent: not tried. */
  ownSizeOnly: v.nullish(TEXT),
  /** SHA-256 by the path in the model's folder. */
  files: recordOf(SHA256, "SHA-256 by file"),
}, "the record of a model");

/** NAME.model.json, beside NAME.onnx. */
export type ModelRecord = v.InferOutput<typeof RECORD>;

/** Where the record of a model file is. */
function recordPath(model: string): string {
  return model.replace(/\.onnx$/, ".model.json");
}

/**
 * Reads what was noted about a model.
 *
 * @param model path of the ONNX file
 * @returns null when it was not added, but lies there by itself
 * @throws Error "The record a.model.json is damaged (…): add the model again."
 */
export async function readModelRecord(model: string): Promise<ModelRecord | null> {
  const path = recordPath(model);
  let text: string;
  try {
    text = await readPlainText(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw new Error(`Cannot read the record ${path}: ${reasonOf(error)}.`, { cause: error });
  }
  try {
    const record = parseJson(text, RECORD);
    Object.keys(record.files).forEach(assertInside);
    return record;
  } catch (error) {
    throw new Error(
      `The record ${path} is damaged (${reasonOf(error)}): remove it and add the model again.`,
      {
        cause: error,
      },
    );
  }
}

/** Writes it whole or not at all. */
export function writeModelRecord(model: string, record: ModelRecord): Promise<void> {
  return writeFileAtomic(recordPath(model), JSON.stringify(record, null, 2) + "\n");
}

/**
 * Refuses a model that is not what it was when it was added; one without a record is taken as it is.
 *
 * @param model path of the ONNX file
 * @param bytes of it
 * @param weights of the files beside it
 * @throws Error "a.onnx is not what was added from org/name (SHA-256 ab…, recorded cd…): …"
 */
export async function assertRecorded(
  model: string,
  bytes: Uint8Array,
  weights: { path: string; data: Uint8Array }[],
): Promise<void> {
  const record = await readModelRecord(model);
  if (record === null) return;
  for (const { path, data } of [{ path: basename(model), data: bytes }, ...weights]) {
    const found = createHash("sha256").update(data).digest("hex");
    const recorded = record.files[path];
    if (recorded === undefined || recorded === found) continue;
    throw changedError(join(dirname(model), path), record, found, recorded);
  }
}

/**
 * Refuses a file beside a model that is not what it was when the model was added; one that was not recorded is taken as it is.
 *
 * @param path in the model's folder
 * @throws Error "a.preprocessor.json is not what was added from org/name (SHA-256 ab…, recorded cd…): …"
 */
export async function assertFileRecorded(path: string, record: ModelRecord): Promise<void> {
  const recorded = record.files[basename(path)];
  if (recorded === undefined) return;
  const found = await fileSha256(path);
  if (found !== recorded) throw changedError(path, record, found, recorded);
}

/** The sentence for a file that is another one than was recorded. */
export function changedError(path: string, { source }: ModelRecord, found: string, recorded: string): Error {
  return new Error(
    `${path} is not what was added from ${source} (SHA-256 ${found}, recorded ${recorded}): ` +
      "if the change is wanted, remove the model's folder and add it again.",
  );
}

/**
 * Removes a model that was added: its files, their record, and what was downloaded for it alone. The hub's own cache, and
 * files that were added from where they lay, stay.
 *
 * @param folder of the models
 * @returns what else lies in its folder, which stays with it; none where the folder is gone
 * @throws Error 'There is no model "vit" in .cache/models: …'
 */
export async function removeModel(folder: string, name: string): Promise<string[]> {
  const path = join(folder, name, `${name}.onnx`);
  const record = /^\w[\w.-]*$/.test(name) ? await readModelRecord(path) : null;
  if (!record) {
    const names = (await listModels(folder)).map(({ record }) => record.name);
    throw new Error(
      `There is no model "${name}" in ${folder}; added models: ${names.join(", ") || "none"}.`,
    );
  }
  const own = await downloadsOf(folder, path, record);
  for (const file of Object.keys(record.files)) await removeFile(join(dirname(path), file));
  await removeFile(recordPath(path));
  for (const other of await listModels(folder)) {
    for (const used of await downloadsOf(folder, other.path, other.record)) own.delete(used);
  }
  for (const download of own) await removeFile(download);
  const rest = (await Array.fromAsync(Deno.readDir(dirname(path)))).map(({ name }) => name).sort();
  if (rest.length === 0) await Deno.remove(dirname(path));
  return rest;
}

/** The files of a model that lie in the folder of downloads. */
async function downloadsOf(folder: string, model: string, { files }: ModelRecord): Promise<Set<string>> {
  const downloads = await Deno.realPath(join(folder, ".downloads")).catch(() => null);
  const paths = await Promise.all(
    Object.keys(files).map((file) => Deno.realPath(join(dirname(model), file)).catch(() => null)),
  );
  return new Set(
    paths.filter((path) => path !== null && downloads !== null && dirname(path) === downloads) as string[],
  );
}

async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new Error(`Cannot remove ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

/** A model that was added, and how its files are. */
export interface ListedModel {
  /** Path of the ONNX file. */
  path: string;
  /** What was noted when it was added. */
  record: ModelRecord;
  /** Files that are not as recorded, each with what is wrong: "missing" or "changed". */
  wrong: string[];
}

/** Names in a folder of models, sorted; none where there is no such folder. */
export async function namesIn(
  folder: string,
  isModel: (entry: Deno.DirEntry) => boolean,
): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) if (isModel(entry)) names.push(entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return []; // nothing was added yet
    throw new Error(`Cannot list the models in ${folder}: ${reasonOf(error)}.`, { cause: error });
  }
  return names.sort();
}

/**
 * The models that were added, their files checked.
 *
 * @param folder of the models, one folder each
 * @returns by name; none when there is no such folder
 */
export async function listModels(folder: string): Promise<ListedModel[]> {
  const models: ListedModel[] = [];
  for (const name of await namesIn(folder, ({ isDirectory }) => isDirectory)) {
    const path = join(folder, name, `${name}.onnx`);
    const record = await readModelRecord(path);
    if (record) models.push({ path, record, wrong: await wrongFiles(dirname(path), record) });
  }
  return models;
}

async function wrongFiles(folder: string, { files }: ModelRecord): Promise<string[]> {
  const wrong: string[] = [];
  for (const [file, recorded] of Object.entries(files)) {
    const found = await fileSha256(join(folder, file)).catch(() => null);
    if (found !== recorded) wrong.push(`${file} ${found === null ? "missing" : "changed"}`);
  }
  return wrong;
}
