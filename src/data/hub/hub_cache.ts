/**
 * The Hugging Face hub's own cache on disk, so that what other tools downloaded is used and what is downloaded here is
 * theirs, too: `models--org--name/{blobs,refs,snapshots}`, a snapshot's files being links to blobs.
 */
import { dirname, join, relative, sep } from "node:path";
import { reasonOf, writeFileAtomic } from "../files/atomic_write.ts";

/** A file of a repository on the hub. */
export interface HubFile {
  /** "org/name". */
  id: string;
  /** A branch, a tag, or a commit of 40 hexadecimal digits. */
  revision: string;
  /** Path inside the repository. */
  file: string;
}

const COMMIT = /^[0-9a-f]{40}$/;
/** An ETag of the hub: git's SHA-1 of a small file, the SHA-256 of a large one. */
const BLOB = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * The folder of the cache: HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub.
 *
 * @param env reads an environment variable
 */
export function hubCacheFolder(env: (name: string) => string | undefined): string {
  const home = env("HF_HOME");
  const caches = env("XDG_CACHE_HOME") || join(env("HOME") ?? env("USERPROFILE") ?? ".", ".cache");
  return env("HF_HUB_CACHE") || (home ? join(home, "hub") : join(caches, "huggingface", "hub"));
}

/**
 * Refuses names that would leave the cache.
 *
 * @throws Error '"../a" is not the id of a model on the hub: give org/name.'
 * @throws Error 'The file name "../a.onnx" leaves its folder: it is not taken.'
 */
export function assertSafe({ id, revision, file }: HubFile): void {
  if (!/^[\w][\w.-]*\/[\w][\w.-]*$/.test(id) || id.includes("--") || id.includes("..")) {
    throw new Error(`"${id}" is not the id of a model on the hub: give org/name.`);
  }
  if (!isInside(revision)) {
    throw new Error(`The revision "${revision}" is not a valid name: give a branch or a commit.`);
  }
  assertInside(file);
}

/**
 * Refuses a path that is absolute or leaves its folder.
 *
 * @throws Error 'The file name "../a.onnx" leaves its folder: it is not taken.'
 */
export function assertInside(file: string): void {
  if (!isInside(file)) throw new Error(`The file name "${file}" leaves its folder: it is not taken.`);
}

function isInside(path: string): boolean {
  return !/[\\:\0]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Where a repository is in the cache. */
export function repositoryFolder(cache: string, id: string): string {
  return join(cache, `models--${id.replace("/", "--")}`);
}

/**
 * Where the blob of an ETag goes.
 *
 * @throws Error 'The hub calls the content of a.onnx "../x", expected 40 or 64 hexadecimal digits: …'
 */
export function blobPath(repository: string, etag: string, file: string): string {
  if (BLOB.test(etag)) return join(repository, "blobs", etag);
  throw new Error(
    `The hub calls the content of ${file} "${etag}", expected 40 or 64 hexadecimal digits: check HF_ENDPOINT.`,
  );
}

/**
 * Refuses what is no commit's name.
 *
 * @throws Error 'The hub calls the commit of org/name "x", expected 40 hexadecimal digits: check HF_ENDPOINT.'
 */
export function assertCommit(id: string, commit: string): void {
  if (COMMIT.test(commit)) return;
  throw new Error(
    `The hub calls the commit of ${id} "${commit}", expected 40 hexadecimal digits: check HF_ENDPOINT.`,
  );
}

/**
 * Finds a file in the cache.
 *
 * @returns its path in the snapshot and the commit; null when it is not there
 * @throws Error "…/model.onnx leads out of the cache of its repository: remove it."
 */
export async function findCached(
  cache: string,
  wanted: HubFile,
): Promise<{ path: string; commit: string } | null> {
  assertSafe(wanted);
  const repository = repositoryFolder(cache, wanted.id);
  const commit = await commitOf(repository, wanted.revision);
  if (commit === null) return null;
  const path = join(repository, "snapshots", commit, wanted.file);
  return await leadsInside(path, repository) ? { path, commit } : null;
}

async function commitOf(repository: string, revision: string): Promise<string | null> {
  if (COMMIT.test(revision)) return revision;
  try {
    const commit = (await Deno.readTextFile(join(repository, "refs", revision))).trim();
    return COMMIT.test(commit) ? commit : null;
  } catch {
    return null; // this revision was never downloaded
  }
}

/** Whether a file is there; one that is a link has to end in the repository's folder. */
async function leadsInside(path: string, repository: string): Promise<boolean> {
  let target: string, root: string;
  try {
    [target, root] = [await Deno.realPath(path), await Deno.realPath(repository)];
  } catch {
    return false;
  }
  if (target.startsWith(root + sep)) return true;
  throw new Error(`${path} leads out of the cache of its repository: remove it.`);
}

/**
 * Makes a blob a file of a snapshot, and notes which commit the revision was.
 *
 * @param blob path of the blob, which is there
 * @param commit 40 hexadecimal digits
 * @returns the path in the snapshot
 * @throws Error 'The hub calls the commit of org/name "x", expected 40 hexadecimal digits: check HF_ENDPOINT.'
 */
export async function linkSnapshot(
  cache: string,
  wanted: HubFile,
  commit: string,
  blob: string,
): Promise<string> {
  assertSafe(wanted);
  assertCommit(wanted.id, commit);
  const repository = repositoryFolder(cache, wanted.id);
  const path = join(repository, "snapshots", commit, wanted.file);
  await makeFolder(dirname(path));
  await leadsInside(dirname(path), repository);
  await linkAtomic(relative(dirname(path), blob), path);
  if (wanted.revision !== commit) {
    const ref = join(repository, "refs", wanted.revision);
    await makeFolder(dirname(ref));
    await writeFileAtomic(ref, commit);
  }
  return path;
}

/**
 * Makes a symbolic link, in place of what was there.
 *
 * @param target relative to the link's folder, or absolute
 * @throws Error "Cannot link a.onnx: Operation not permitted."
 */
export async function linkAtomic(target: string, path: string): Promise<void> {
  const beside = `${path}.${Deno.pid}.tmp`;
  try {
    await Deno.remove(beside).catch(() => {});
    await Deno.symlink(target, beside, { type: "file" });
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw new Error(`Cannot link ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

/**
 * Makes a folder and those above it.
 *
 * @throws Error "Cannot make the folder a/b: Permission denied."
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw new Error(`Cannot make the folder ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}
