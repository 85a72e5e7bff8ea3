/** Adds a model: fetches its files, understands its graph, and puts it where every task takes it. */
import { basename, dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../files/atomic_write.ts";
import { countAttention, describeCount } from "../onnx/attention_outputs.ts";
import { fileSha256 } from "../files/file_hashes.ts";
import { assertInside, linkAtomic, makeFolder } from "../hub/hub_cache.ts";
import { isEmbedded } from "./known_models.ts";
import { readLicense } from "./model_card.ts";
import { changedError, type ModelRecord, readModelRecord, writeModelRecord } from "./model_record.ts";
import { findRegistered } from "./model_registry.ts";
import { classNamed, processorOfModel } from "../images/image_processors.ts";
import { type OnnxGraph, readOnnx } from "../onnx/graph.ts";
import { learnedTokens } from "../onnx/patch_order.ts";
import { readPlainText } from "../files/plain_file.ts";
import { probeSizes, takesAnySize } from "./size_probe.ts";
import type { WeightFile } from "../onnx/types.ts";
import {
  hasImageProcessor,
  parsePreprocessor,
  type Preprocessor,
  readPreprocessor,
  seenSize,
} from "../images/preprocessor.ts";
import { type AddModelOptions, openSource, PREPROCESSOR, PROCESSOR, type Source } from "./model_source.ts";

/** What was added. */
export interface AddedModel {
  /** Path of the ONNX file, for `--model`. */
  path: string;
  /** What was noted when it was added. */
  record: ModelRecord;
  /** Attention blocks that were found. */
  layers: number;
  /** What happens to an image. */
  preprocessor: Preprocessor;
}

/**
 * Fetches a model with the weight files that it names and its preprocessing, checks that its attention is found, notes the
 * SHA-256 of every file, and links them as NAME/NAME.onnx, NAME/NAME.preprocessor.json and NAME/NAME.model.json.
 *
 * A model that was added before has to have the same files as then.
 *
 * @throws Error one sentence that names the source and what to give
 */
export async function addModel(options: AddModelOptions): Promise<AddedModel> {
  const source = await openSource(options);
  await using _package = source.package;
  return await addSource(source, options);
}

async function addSource(source: Source, options: AddModelOptions): Promise<AddedModel> {
  const called = options.name ?? (source.isFile ? source.name : "");
  const registered = findRegistered(options.source) ?? findRegistered(called);
  const name = options.name ?? registered?.name ?? source.name;
  if (!/^\w[\w.-]*$/.test(name)) {
    throw new RangeError(
      `The name "${name}" is none for a folder: give letters, digits, "_", "-" or "." with --name.`,
    );
  }
  if (await isEmbedded(name)) {
    throw new Error(`The name "${name}" is that of an embedded model: give another one with --name.`);
  }
  const isKnown = registered?.name === options.source || registered?.package === options.source;
  const pinned = isKnown ? registered?.sha256 : undefined;
  const fetched = await fetchModel(source, options, pinned);
  const target = join(options.folder, name), path = join(target, `${name}.onnx`);
  const files = new Map([[`${name}.onnx`, fetched.path]]);
  const graph = await readOnnx(fetched.path);
  const count = countAttention(graph), layers = count.blocks.length;
  learnedTokens(graph, count.blocks); // refuses patches that are not where they are expected
  for (const location of new Set(graph.external.map(({ location }) => location))) {
    assertInside(location);
    if ([".onnx", ".model.json", ".preprocessor.json"].some((end) => location === `${name}${end}`)) {
      throw new Error(
        `${source.title} keeps weights in ${location}, a name that is taken: give another --name.`,
      );
    }
    const weights = await source.fetch(join(dirname(fetched.file), location));
    if (!weights) {
      throw new Error(`${source.title} keeps weights in ${location}, which is not there beside the model.`);
    }
    files.set(location, weights.path);
  }
  // A known package is not downloaded once more to look for a file that it does not have.
  const found = options.preprocessor ??
    (pinned === undefined ? await fetchPreprocessor(source, fetched.file) : undefined);
  if (!found && !registered) {
    throw new Error(`${source.title} has no ${PREPROCESSOR}: give one with --preprocessor FILE.`);
  }
  const preprocessing = `${name}.preprocessor.json`;
  const steps = found ? await namedSteps(source, found) : registered!.preprocessing;
  if (found && !steps) files.set(preprocessing, found);
  const preprocessor = steps
    ? parsePreprocessor(steps, found ? basename(found) : registered!.name)
    : await readPreprocessor(found!);

  const own = seenSize(preprocessor);
  const ownSizeOnly = own && takesAnySize(graph)
    ? await probeSizes({ ...graph, path: `${name}.onnx` }, count.blocks, own, await weightsOf(graph, files))
    : undefined;
  const record: ModelRecord = {
    name,
    source: source.title,
    commit: fetched.commit,
    license: (pinned === undefined ? await fetchLicense(source) : undefined) ?? registered?.license ??
      "unknown",
    ...(registered?.caveat !== undefined && { caveat: registered.caveat }),
    registers: options.registers ?? registered?.registers ?? null,
    attention: describeCount(count),
    ...(ownSizeOnly !== undefined && { ownSizeOnly }),
    files: {},
  };
  for (const [file, from] of files) record.files[file] = await fileSha256(from);
  await assertSame(path, record, options.sha256);
  // The model last: without what belongs to it, it would be taken for one that was never added.
  const placed = [...files].map(([file, from]) => ({ from, to: join(target, file) }));
  await makeFolder(target);
  for (const { from, to } of placed) if (resolve(to) !== resolve(path)) await place(from, to);
  if (steps) {
    const written = join(target, preprocessing);
    await writeFileAtomic(written, JSON.stringify(steps, null, 2) + "\n");
    record.files[preprocessing] = await fileSha256(written);
  }
  await writeModelRecord(path, record);
  for (const { from, to } of placed) if (resolve(to) === resolve(path)) await place(from, to);
  return { path, record, layers, preprocessor };
}

/** What the files beside a model hold, by the names that the model has for them. */
function weightsOf({ external }: OnnxGraph, files: Map<string, string>): Promise<WeightFile[]> {
  const locations = new Set(external.map(({ location }) => location));
  return Promise.all(
    [...locations].map(async (path) => ({ path, data: await Deno.readFile(files.get(path)!) })),
  );
}

async function fetchModel(source: Source, { hub, sha256 }: AddModelOptions, pinned: string | undefined) {
  for (const file of source.models) {
    const fetched = await source.fetch(file);
    if (!fetched) continue;
    for (const expected of [sha256?.toLowerCase(), pinned]) {
      if (!expected) continue;
      try {
        await assertSha256(fetched.path, expected, source.title);
      } catch (error) {
        if (source.package) await Deno.remove(fetched.path).catch(() => {}); // so that it is downloaded anew
        throw error;
      }
    }
    return { ...fetched, file };
  }
  if (source.package) {
    const others = (await source.package.list()).filter((file) => file.endsWith(".onnx"));
    throw new Error(
      `${source.title} was not found: the package contains ${
        others.length > 0 ? others.slice(0, 5).join(", ") : "no .onnx file"
      }.`,
    );
  }
  const where = hub.offline ? ` in the cache ${hub.cache}, and HF_HUB_OFFLINE is set` : "";
  throw new Error(`${source.title} has no ${source.models.join(", ")}${where}: name the file with --file.`);
}

async function assertSha256(path: string, expected: string, title: string): Promise<void> {
  const found = await fileSha256(path);
  if (found !== expected) {
    throw new Error(`${title} has the SHA-256 ${found}, expected ${expected}: it is not taken.`);
  }
}

/** The source's preprocessor file, beside the model or at the root. */
async function fetchPreprocessor(source: Source, modelFile: string): Promise<string | undefined> {
  const folder = dirname(modelFile);
  for (const file of source.preprocessors) {
    const fetched = await source.fetch(file) ??
      (folder === "." ? null : await source.fetch(`${folder}/${file}`));
    if (fetched && (file !== PROCESSOR || await hasImageProcessor(fetched.path))) return fetched.path;
  }
  return undefined;
}

/** A file of the hub that names no class, with the one that config.json stands for; undefined where nothing is to be added. */
async function namedSteps(source: Source, path: string): Promise<Record<string, unknown> | undefined> {
  if (source.card === undefined) return undefined; // not of the hub
  const steps = await readSteps(path);
  if (steps.image_processor || classNamed(steps)) return undefined;
  const config = await source.fetch("config.json");
  const image_processor_type = config && processorOfModel((await readSteps(config.path)).model_type);
  return image_processor_type ? { image_processor_type, ...steps } : undefined;
}

/** The object in a JSON file; an empty one where it holds none. */
async function readSteps(path: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readPlainText(path));
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {}; // said by whoever reads it for its own sake
  }
}

/** The license that the model's card names. */
async function fetchLicense(source: Source): Promise<string | undefined> {
  if (source.package) return await source.package.license();
  const card = source.card === undefined ? null : await source.fetch(source.card);
  return card ? await readLicense(card.path) : undefined;
}

/** What was added under this name before has to be what is added now. */
async function assertSame(path: string, record: ModelRecord, given: string | undefined): Promise<void> {
  const before = await readModelRecord(path);
  if (!before) return;
  for (const [file, hash] of Object.entries(record.files)) {
    const recorded = before.files[file];
    if (recorded === undefined || recorded === hash || (given === hash && file.endsWith(".onnx"))) continue;
    throw changedError(join(dirname(path), file), before, hash, recorded);
  }
}

async function place(from: string, to: string): Promise<void> {
  if (resolve(from) === resolve(to)) return;
  await makeFolder(dirname(to));
  await linkAtomic(await Deno.realPath(from), to);
}
