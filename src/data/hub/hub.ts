/** Files of models on the Hugging Face hub, or on a mirror of it, through the hub's own cache. */
import { dirname } from "node:path";
import { downloadFile } from "./download.ts";
import { HttpError, type RequestOptions, sendRequest } from "./http_request.ts";
import {
  assertCommit,
  assertSafe,
  blobPath,
  findCached,
  hubCacheFolder,
  type HubFile,
  linkSnapshot,
  makeFolder,
  repositoryFolder,
} from "./hub_cache.ts";

/** Where files come from and go to. */
export interface Hub extends Pick<RequestOptions, "pause"> {
  /** Address of the hub or of a mirror. */
  endpoint: string;
  /** Folder of the cache. */
  cache: string;
  /** Nothing is asked of the network. */
  offline: boolean;
  /** Access token for gated models. */
  token?: string;
  /** Called with bytes done and all bytes of the file that is under way, when known. */
  onProgress?(file: string, done: number, total: number | null): void;
}

/** A file of the hub on the disk. */
export interface FetchedFile {
  /** In the cache's snapshot of the commit. */
  path: string;
  /** 40 hexadecimal digits. */
  commit: string;
}

/**
 * The hub that the environment names: HF_ENDPOINT (a mirror), HF_HUB_CACHE or HF_HOME, HF_HUB_OFFLINE, HF_TOKEN.
 *
 * @param env reads an environment variable
 */
export function hubFromEnvironment(env: (name: string) => string | undefined): Hub {
  return {
    endpoint: (env("HF_ENDPOINT") || "https://huggingface.co").replace(/\/+$/, ""),
    cache: hubCacheFolder(env),
    offline: ["1", "true", "yes", "on"].includes((env("HF_HUB_OFFLINE") ?? "").toLowerCase()),
    token: env("HF_TOKEN") || undefined,
  };
}

/**
 * A file of a repository, from the cache when its content is there, else downloaded into it.
 *
 * Online the hub is asked what the revision is now; the content is checked against what the hub says it is (SHA-256 of
 * large files, git's SHA-1 of small ones).
 *
 * @returns null when the repository, or offline the cache, has no such file
 * @throws HttpError of `sendRequest`; Error of `downloadFile`
 */
export async function fetchHubFile(hub: Hub, wanted: HubFile): Promise<FetchedFile | null> {
  assertSafe(wanted);
  if (hub.offline) return await findCached(hub.cache, wanted);
  const url = fileUrl(hub, wanted);
  const headers: Record<string, string> = hub.token ? { authorization: `Bearer ${hub.token}` } : {};
  let answer: Response;
  try {
    answer = await sendRequest(url, {
      method: "HEAD",
      headers: { ...headers, "accept-encoding": "identity" },
      pause: hub.pause,
      isFinal: (response) => response.headers.has("x-repo-commit") && !isRelative(response),
    });
  } catch (error) {
    if (error instanceof HttpError && error.status === 404 && isMissingFile(error.code)) return null;
    throw error;
  }
  const stated = readAnswer(answer);
  assertCommit(wanted.id, stated.commit);
  const repository = repositoryFolder(hub.cache, wanted.id);
  const blob = blobPath(repository, stated.etag, wanted.file);
  if (!await isThere(blob)) {
    await makeFolder(dirname(blob));
    await downloadFile({
      url,
      to: blob,
      headers,
      pause: hub.pause,
      resume: true,
      expected: {
        size: stated.size,
        ...(stated.etag.length === 64 ? { sha256: stated.etag } : { gitSha1: stated.etag }),
      },
      onProgress: (done, total) => hub.onProgress?.(wanted.file, done, total),
    });
  }
  return { path: await linkSnapshot(hub.cache, wanted, stated.commit, blob), commit: stated.commit };
}

function fileUrl({ endpoint }: Hub, { id, revision, file }: HubFile): string {
  const path = file.split("/").map(encodeURIComponent).join("/");
  return `${endpoint}/${id}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/** A redirect within the hub (a model that was renamed), against one to where its large files are. */
function isRelative({ headers }: Response): boolean {
  return /^\/(?!\/)/.test(headers.get("location") ?? "");
}

/** The hub answers 404 also for a repository or a revision that is not there, with another word. */
function isMissingFile(code: string): boolean {
  return code === "" || code === "EntryNotFound";
}

function readAnswer({ headers }: Response): { etag: string; commit: string; size: number | undefined } {
  const quoted = headers.get("x-linked-etag") ?? headers.get("etag") ?? "";
  const size = headers.get("x-linked-size") ??
    (headers.has("location") ? null : headers.get("content-length"));
  return {
    etag: quoted.replace(/^W\//, "").replaceAll('"', ""),
    commit: headers.get("x-repo-commit") ?? "",
    size: size === null ? undefined : Number(size),
  };
}

async function isThere(blob: string): Promise<boolean> {
  try {
    if ((await Deno.lstat(blob)).isFile) return true;
  } catch {
    return false;
  }
  throw new Error(`${blob} is not a plain file, expected a blob of the hub's cache: remove it.`);
}
