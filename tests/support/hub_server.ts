/** A server that imitates the Hugging Face hub, and one that holds its large files, for tests of downloads. */
import { createHash } from "node:crypto";

/** A request as the servers saw it. */
export interface SeenRequest {
  method: string;
  /** "hub" or "files". */
  server: string;
  path: string;
  range: string | null;
  authorization: string | null;
}

/** What a test may let go wrong: an answer in place of the right one, or null for the right one. */
export type Fault = (seen: SeenRequest) => Response | null;

/** The servers while a test runs. */
export interface HubServer {
  endpoint: string;
  /** Bytes by path inside the one repository, org/tiny. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  seen: SeenRequest[];
  /** Asked before every answer. */
  fault: Fault;
}

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** Files of more bytes are at the other server, known by their SHA-256. */
const LARGE = 1000;

/** Runs `body` with the servers and stops them afterwards. */
export async function withHubServer(body: (hub: HubServer) => Promise<void>): Promise<void> {
  const state: HubServer = { endpoint: "", files: new Map(), seen: [], fault: () => null };
  const answer =
    (server: string, respond: (request: Request, path: string) => Response) => (request: Request) => {
      const path = decodeURIComponent(new URL(request.url).pathname);
      const { method, headers } = request;
      const seen = {
        method,
        server,
        path,
        range: headers.get("range"),
        authorization: headers.get("authorization"),
      };
      state.seen.push(seen);
      return state.fault(seen) ?? respond(request, path);
    };
  const quiet = { port: 0, hostname: "127.0.0.1", onListen: () => {}, onError: () => new Response(null) };
  const files = Deno.serve(
    quiet,
    answer("files", (request, path) => ranged(request, state.files.get(path.slice(1))!)),
  );
  const hub = Deno.serve(
    quiet,
    answer("hub", (request, path) => resolveFile(state, files.addr.port, request, path)),
  );
  state.endpoint = `http://127.0.0.1:${hub.addr.port}`;
  try {
    await body(state);
  } finally {
    await Promise.all([hub.shutdown(), files.shutdown()]);
  }
}

function resolveFile({ files }: HubServer, port: number, request: Request, path: string): Response {
  const [, id, file] = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(path) ?? [];
  if (id === "org/old") {
    return new Response(null, { status: 307, headers: { location: path.replace("org/old", "org/tiny") } });
  }
  if (id !== "org/tiny") {
    return new Response(null, { status: 401, headers: { "x-error-code": "RepoNotFound" } });
  }
  const bytes = files.get(file);
  if (!bytes) return new Response(null, { status: 404, headers: { "x-error-code": "EntryNotFound" } });
  const headers = { "x-repo-commit": COMMIT };
  if (bytes.length <= LARGE) return ranged(request, bytes, { ...headers, etag: `"${gitSha1(bytes)}"` });
  const location = `http://127.0.0.1:${port}/${file}`;
  return new Response(null, {
    status: 302,
    headers: {
      ...headers,
      location,
      "x-linked-etag": `"${sha256(bytes)}"`,
      "x-linked-size": String(bytes.length),
    },
  });
}

/** All of some bytes, or what the request's Range asks for. */
export function ranged(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  if (start > 0 && start >= bytes.length) return new Response(null, { status: 416 });
  const length = String(bytes.length - start), range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  return new Response(request.method === "HEAD" ? null : bytes.subarray(start), {
    status: start > 0 ? 206 : 200,
    headers: { ...headers, "content-length": length, ...(start > 0 ? { "content-range": range } : {}) },
  });
}

/** An answer that promises all of some bytes and breaks off after `count` of them. */
export function cutOff(bytes: Uint8Array<ArrayBuffer>, count: number, start = 0): Response {
  let isSent = false;
  const body = new ReadableStream({
    pull(controller) {
      if (isSent) controller.error(new Error("cut off"));
      else controller.enqueue(bytes.slice(start, start + count));
      isSent = true;
    },
  });
  const headers: Record<string, string> = { "content-length": String(bytes.length - start) };
  if (start > 0) headers["content-range"] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  return new Response(body, { status: start > 0 ? 206 : 200, headers });
}

/** Hexadecimal SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Git's hash of a blob. */
export function gitSha1(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
