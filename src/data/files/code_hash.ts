/** Which code makes something: modules, and all that they import, shaders included. */
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { reasonOf } from "./atomic_write.ts";

const ROOT = new URL("../../..", import.meta.url);
/** What is followed in a module: imports that bring values, static or not, and the modules of workers. */
const FOLLOWED = [
  /\b(?:import|export)\b(?!\s*type\b)[^"'`;()]*?(["'])(.+?)\1/g,
  /\bimport\(\s*(["'])(.+?)\1/g,
  /\bnew URL\(\s*(["'])(\.{1,2}\/[^"']+\.[jt]s)\1/g,
];
/** Lines that are comments. Those behind code on a line stay, as a line alone does not tell them from texts. */
const COMMENTS = /^[ \t]*(?:\/\/[^\n]*|\/\*[^]*?\*\/[ \t]*)\n/gm;

/**
 * A hash of modules and of all that they import, directly or not: TypeScript, shaders, other files, and the versions of
 * packages. Types, and lines that are comments, are left out.
 *
 * @param modules paths within the project, as "src/align/train.ts"
 * @param root the project's folder
 * @param read reads a file; default: from disk, once for as long as the process runs
 * @throws Error "Cannot read src/a.ts, which …: …" where a module is not there
 */
export async function hashOfModules(
  modules: readonly string[],
  root: URL = ROOT,
  read?: ReadText,
): Promise<string> {
  if (read) return await hashed(modules, root, read);
  const key = [root.href, ...modules].join(" ");
  const known = hashes.get(key) ?? hashed(modules, root);
  hashes.set(key, known);
  return await known;
}

/** The same of files that did not change while this process runs. */
const hashes = new Map<string, Promise<string>>();

async function hashed(modules: readonly string[], root: URL, read?: ReadText): Promise<string> {
  // From a registry, where files cannot be listed, a version never changes.
  if (root.protocol !== "file:") return createHash("sha256").update(root.href).digest("hex").slice(0, 16);
  const { files, packages } = await importedBy(modules, root, read), hash = createHash("sha256");
  for (const [path, text] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    hash.update(`${path} ${text.length}\n${text}`);
  }
  return hash.update([...packages].sort().join("\n")).digest("hex").slice(0, 16);
}

/** What modules import. */
export interface Imported {
  /** Text by path within the project, the modules themselves included, without lines that are comments. */
  files: Map<string, string>;
  /** As the configuration has them: "sharp npm:sharp@1.2.3". */
  packages: Set<string>;
}

type ReadText = (file: URL) => Promise<string>;

/** A file without lines that are comments, and what it imports. */
interface ParsedCode {
  code: string;
  specifiers: Set<string>;
}

/** By ending and text: most files are in the keys of several stages. */
const parsed = new Map<string, ParsedCode>();

function parsedCode(text: string, ending: string): ParsedCode {
  const known = parsed.get(ending + text);
  if (known) return known;
  const code = [".ts", ".js", ".wgsl"].includes(ending) ? text.replace(COMMENTS, "") : text;
  const isScript = [".ts", ".js"].includes(ending);
  const matches = isScript ? FOLLOWED.flatMap((pattern) => [...code.matchAll(pattern)]) : [];
  const found = { code, specifiers: new Set(matches.map((match) => match[2])) };
  parsed.set(ending + text, found);
  return found;
}

/** All files that modules need, directly or not. */
export async function importedBy(
  modules: readonly string[],
  root: URL = ROOT,
  read: ReadText = Deno.readTextFile,
): Promise<Imported> {
  const config = new URL("deno.json", root);
  const { imports = {} } = JSON.parse(await read(config)) as {
    imports?: Record<string, string>;
  };
  const files = new Map<string, string>(), packages = new Set<string>();
  const visit = async (path: string, from: string): Promise<void> => {
    if (files.has(path)) return;
    files.set(path, "");
    const url = new URL(path, root);
    let text: string;
    try {
      text = await read(url);
    } catch (error) {
      throw new Error(`Cannot read ${path}, which ${from} needs: ${reasonOf(error)}.`, { cause: error });
    }
    const { code, specifiers } = parsedCode(text, extname(path));
    files.set(path, code);
    for (const specifier of specifiers) {
      const name = Object.keys(imports).find((own) => specifier === own || specifier.startsWith(`${own}/`));
      if (name) packages.add(`${name} ${imports[name]}`);
      if (!/^\.{1,2}\//.test(specifier)) continue;
      await visit(new URL(specifier, url).href.slice(root.href.length), path);
    }
  };
  for (const path of modules) await visit(path, "a hash of the code");
  return { files, packages };
}
