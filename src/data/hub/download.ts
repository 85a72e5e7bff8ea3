/** One file from the network to the disk: goes on where it stopped, is checked, and appears whole or not at all. */
import { reasonOf, writeAll } from "../files/atomic_write.ts";
import { fileSha256, hashFile } from "../files/file_hashes.ts";
import { pauseByClock, type RequestOptions, sendRequest, shortReason } from "./http_request.ts";

/** What a file must be. */
export interface Expected {
  /** Bytes; not checked when not given. */
  size?: number;
  /** Hexadecimal; not checked when not given. */
  sha256?: string;
  /** SHA-1 of git's blob (its size and its bytes), hexadecimal; not checked when not given. */
  gitSha1?: string;
}

export interface Download extends Pick<RequestOptions, "headers" | "pause"> {
  /** Where it is. */
  url: string;
  /** Where the file goes; its folder exists. */
  to: string;
  /** What it has to be. */
  expected: Expected;
  /**
   * Whether `to` names this content and no other, so that a part from before is a part of it. Without that, a download
   * begins anew.
   */
  resume: boolean;
  /** Called with bytes done and all bytes, when known. */
  onProgress?(done: number, total: number | null): void;
  /** Milliseconds without a byte after which a connection is taken for dead; default 30 s. */
  stall?: number;
}

/** Connections in a row that may end without one byte. */
const MAX_IDLE = 5;

/**
 * Downloads a file. It is written beside as `.incomplete`, asked for from where it stops (`Range`), checked, and renamed.
 *
 * @throws Error "https://… ended after 12 of 40 bytes, 5 times in a row: start again to go on from there."
 * @throws Error "https://… has the SHA-256 ab…, expected cd…: it was deleted; …"
 * @throws HttpError of `sendRequest`
 */
export async function downloadFile(download: Download): Promise<void> {
  const { url, to, expected, resume, pause = pauseByClock } = download;
  const beside = `${to}.incomplete`;
  if (!resume) await removeFile(beside);
  let idle = 0, reason = "";
  for (;;) {
    const before = await usablePart(beside, expected);
    if (before > 0 && before === expected.size) break;
    const result = await transfer(download, beside, before);
    if (result.whole) break;
    reason = result.reason;
    const after = await partSize(beside);
    idle = after > before ? 0 : idle + 1;
    if (idle === MAX_IDLE) {
      throw new Error(
        `${url} ended after ${after}${
          expected.size === undefined ? "" : ` of ${expected.size}`
        } bytes, ${MAX_IDLE} times in a row (${reason}): start again to go on from there.`,
      );
    }
    if (idle > 0) await pause(1000 * 2 ** (idle - 1));
  }
  await assertExpected(beside, expected, url);
  await renameFile(beside, to);
}

/** One connection's share: appends what comes to `beside`. */
async function transfer(
  { url, headers, pause, onProgress, expected, stall = 30_000 }: Download,
  beside: string,
  have: number,
): Promise<{ whole: boolean; reason: string }> {
  const abort = new AbortController();
  const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  let response: Response;
  try {
    response = await sendRequest(url, {
      headers: { ...headers, ...range, "accept-encoding": "identity" },
      pause,
      signal: abort.signal,
    });
  } catch (error) {
    if (have === 0 || (error as { status?: number }).status !== 416) throw error;
    await removeFile(beside); // the part is longer than the file
    return { whole: false, reason: "its part on the disk did not fit" };
  }
  const starts = response.status === 206 ? rangeStart(response) : 0;
  if (starts !== 0 && starts !== have) {
    await response.body?.cancel();
    await removeFile(beside);
    return { whole: false, reason: "the server sent another part than asked for" };
  }
  const total = expected.size ?? totalOf(response, starts);
  const file = await openPart(beside, starts);
  let done = starts, timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error(`nothing came for ${stall / 1000} s`)), stall);
  };
  try {
    watch();
    for await (const chunk of response.body ?? []) {
      watch();
      await append(file, chunk, beside);
      done += chunk.length;
      onProgress?.(done, total);
    }
  } catch (error) {
    if (error instanceof DiskError) throw error;
    return { whole: false, reason: shortReason(error) };
  } finally {
    clearTimeout(timer);
    file.close();
  }
  return { whole: total === null || done >= total, reason: "the connection closed" };
}

/** A write that failed, which no new connection heals. */
class DiskError extends Error {}

async function append(file: Deno.FsFile, chunk: Uint8Array, path: string): Promise<void> {
  try {
    await writeAll(file, chunk);
  } catch (error) {
    throw new DiskError(`Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

async function openPart(path: string, starts: number): Promise<Deno.FsFile> {
  try {
    const file = await Deno.open(path, { write: true, create: true });
    await file.truncate(starts);
    await file.seek(starts, Deno.SeekMode.Start);
    return file;
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

/** Bytes of a part that is there; 0 when none is. A link in its place would lead the bytes elsewhere. */
async function partSize(path: string): Promise<number> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch {
    return 0;
  }
  if (info.isFile) return info.size;
  throw new Error(`${path} is not a plain file, expected a part of a download: remove it.`);
}

/** Like `partSize`; a part that is longer than the file is removed. */
async function usablePart(path: string, { size }: Expected): Promise<number> {
  const found = await partSize(path);
  if (size === undefined || found <= size) return found;
  await removeFile(path);
  return 0;
}

function rangeStart({ headers }: Response): number {
  const [, start] = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "") ?? [];
  return start === undefined ? NaN : Number(start);
}

function totalOf({ headers }: Response, starts: number): number | null {
  const length = headers.get("content-length");
  return length === null ? null : starts + Number(length);
}

async function assertExpected(path: string, expected: Expected, url: string): Promise<void> {
  const { size } = await Deno.stat(path);
  const wrong = expected.size !== undefined && size !== expected.size
    ? `has ${size} bytes, expected ${expected.size}`
    : await wrongHash(path, expected);
  if (wrong === null) return;
  await removeFile(path);
  throw new Error(`${url} ${wrong}: it was deleted; try again, or choose another mirror with HF_ENDPOINT.`);
}

async function wrongHash(path: string, { sha256, gitSha1 }: Expected): Promise<string | null> {
  if (sha256 !== undefined) {
    const found = await fileSha256(path);
    if (found !== sha256) return `has the SHA-256 ${found}, expected ${sha256}`;
  }
  if (gitSha1 !== undefined) {
    const found = await hashFile(path, "sha1", `blob ${(await Deno.stat(path)).size}\0`);
    if (found !== gitSha1) return `has the git hash ${found}, expected ${gitSha1}`;
  }
  return null;
}

async function renameFile(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    throw new Error(`Cannot write ${to}: ${reasonOf(error)}.`, { cause: error });
  }
}

async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch(() => {});
}
