/** `./run serve FOLDER`: shows a folder's pages to browsers on this machine. */
import { extname, join } from "node:path";
import { wholeNumber } from "../src/cli/option_kinds.ts";
import { helpOf, parseOptions, runTask } from "../src/cli/options.ts";

/** The task; it takes a folder. */
export const COMMAND = {
  task: "serve",
  usage: "./run serve FOLDER [--port N]",
  about: "Shows a folder's pages at 127.0.0.1, to browsers on this machine only, until Ctrl-C.",
  options: {
    port: wholeNumber({ help: "the port", from: 1, to: 65535, default: 8000 }),
  },
};

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".wasm": "application/wasm",
};

/** So that WebAssembly may use threads, and nothing is taken for what it is not. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

const plain = (status: number, text: string) =>
  new Response(text, { status, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" } });

/** The file that a path stands for; null where there is none, it is hidden, or it lies outside, links followed. */
async function fileOf(root: string, pathname: string): Promise<string | null> {
  try {
    const parts = decodeURIComponent(pathname).split("/");
    if (parts.some((part) => part.startsWith(".") || part.includes("\\") || part.includes("\0"))) return null;
    const path = await Deno.realPath(join(root, ...parts, parts.at(-1) === "" ? "index.html" : ""));
    const isInside = path.startsWith(root.endsWith("/") ? root : `${root}/`);
    return isInside && (await Deno.stat(path)).isFile ? path : null;
  } catch {
    return null;
  }
}

/**
 * Answers requests for the files of a folder.
 *
 * @param root the folder, as `Deno.realPath` has it
 * @returns the file; 404 for what is not in it, 405 for what does not read, 403 for another site's name
 */
export async function serveFile(root: string, request: Request): Promise<Response> {
  const { pathname, hostname } = new URL(request.url);
  // A name that another site lets point to this machine would make it its own server.
  if (hostname !== "127.0.0.1" && hostname !== "localhost") return plain(403, "Ask for 127.0.0.1.");
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "Files are only read.");
  const path = await fileOf(root, pathname);
  if (path === null) return plain(404, "There is no such file.");
  const type = TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
  const { size } = await Deno.stat(path);
  const headers = { ...HEADERS, "content-type": type, "content-length": String(size) };
  if (request.method === "HEAD") return new Response(null, { headers });
  const { readable } = await Deno.open(path);
  return new Response(readable, { headers });
}

/**
 * Starts to serve a folder.
 *
 * @param port 0 for any that is free
 * @throws Error "There is no folder a: …"; "Port 8000 is in use: …"
 */
export async function serveFolder(
  folder: string,
  port: number,
): Promise<Deno.HttpServer<Deno.NetAddr>> {
  let root: string;
  try {
    root = await Deno.realPath(folder);
    if (!(await Deno.stat(root)).isDirectory) throw new Deno.errors.NotADirectory(folder);
  } catch (error) {
    throw new Error(`There is no folder ${folder}: ./run live writes one.`, { cause: error });
  }
  try {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => serveFile(root, request));
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Error(`Port ${port} is in use: choose another with --port.`, { cause: error });
  }
}

if (import.meta.main) {
  await runTask(async () => {
    const [folder, ...args] = Deno.args;
    if (folder === undefined || folder === "--help" || folder === "-h") return console.log(helpOf(COMMAND));
    if (folder.startsWith("-")) {
      throw new RangeError("The folder comes first: ./run serve FOLDER [--port N].");
    }
    const parsed = parseOptions(COMMAND.options, args);
    if (!parsed) return console.log(helpOf(COMMAND));
    const server = await serveFolder(folder, parsed.options.port);
    console.log(`http://127.0.0.1:${server.addr.port}/ shows ${folder}; Ctrl-C ends it.`);
    await server.finished;
  });
}
