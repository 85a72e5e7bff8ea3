/** Modules of the project as one file for a browser, the shaders' text inside. */
import { createRequire } from "node:module";
import type { Loader, Plugin } from "esbuild-wasm";

const ROOT = new URL("../../", import.meta.url);
const LOADERS: Record<string, Loader> = { ts: "ts", js: "js", json: "json", wgsl: "text" };

/** What a bundle is made of. */
export interface BundleOptions {
  /** Modules that stand in for others, packages or modules: paths in the project. */
  instead?: Record<string, string>;
  /** Whether names are shortened and blanks dropped; default true. */
  minify?: boolean;
}

/** Files are read here, and not by esbuild, whose WebAssembly sees none. */
function projectFiles(instead: Record<string, string>): Plugin {
  return {
    name: "project files",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, importer }) => {
        if (!path.startsWith(".") && !instead[path]) {
          return { errors: [{ text: `imports the package ${path}, which is not for browsers` }] };
        }
        const from = new URL(importer === "<stdin>" ? "" : importer, ROOT);
        const found = new URL(path, from).href.slice(ROOT.href.length);
        return { path: instead[path] ?? instead[found] ?? found, namespace: "project" };
      });
      build.onLoad({ filter: /.*/, namespace: "project" }, async ({ path }) => ({
        contents: await Deno.readTextFile(new URL(path, ROOT)),
        loader: LOADERS[path.split(".").at(-1)!],
      }));
    },
  };
}

let started: Promise<typeof import("esbuild-wasm")> | undefined;

/** esbuild, in this thread: its worker would outlive the work. */
async function esbuild() {
  const own = await import("esbuild-wasm");
  const wasm = createRequire(import.meta.url).resolve("esbuild-wasm/esbuild.wasm");
  await own.initialize({ wasmModule: await WebAssembly.compile(await Deno.readFile(wasm)), worker: false });
  return own;
}

/**
 * Bundles a module and all that it imports.
 *
 * @param code TypeScript, whose imports start from the project's root
 * @returns an ES module that imports nothing; the same bytes for the same sources
 * @throws Error naming the module that imports a package, or the file that is missing
 */
export async function bundle(
  code: string,
  { instead = {}, minify = true }: BundleOptions = {},
): Promise<string> {
  const { build } = await (started ??= esbuild());
  const { outputFiles } = await build({
    stdin: { contents: code, loader: "ts" },
    bundle: true,
    format: "esm",
    target: "es2024",
    charset: "utf8",
    minify,
    write: false,
    logLevel: "silent",
    plugins: [projectFiles(instead)],
  });
  return outputFiles[0].text;
}
