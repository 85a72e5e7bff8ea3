/** `./run pack`: the package as one file that npm installs into any folder, with the command `alignedcut`. */
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../../src/cli/options.ts";
import { text } from "../../src/cli/option_kinds.ts";
import { bundle } from "../shared/bundle.ts";
import { importedBy } from "../../src/data/files/code_hash.ts";
import { assertWritable } from "../../src/data/files/atomic_write.ts";

/** The task and its options. */
export const COMMAND = {
  task: "pack",
  about:
    `Writes DIR/alignedcut-${config.version}.tgz: JavaScript, shaders, built-in models, and the command alignedcut. In an empty folder:

  npm install --ignore-scripts DIR/alignedcut-${config.version}.tgz
  npx alignedcut colors --images PHOTOGRAPHS

Writes beside it DIR/alignedcut.js, which browsers import without npm.`,
  options: {
    out: text({ value: "DIR", help: "where both are written", default: "reports/out" }),
  },
};

const ROOT = new URL("../../", import.meta.url);
/** The command, and the Deno that npm installs for it. */
const BIN = "bin/alignedcut.js", DENO = "2.9.6";
/** What browsers import: one file. */
const BROWSER = "browser.min.js";
/** Tasks that need the repository: its tests, its pages' tools, its folder of scripts. */
const OF_THE_REPOSITORY =
  /^(?:script|new|doc|test|test-browser|bench.*|licenses|survey|false-alarms|mutate|pack|live|serve|deps-audit|fault-injection)$/;
/** Files that are read, not imported. */
const READ = [
  /^fixtures\/models\/[^/]+\.(?:onnx|preprocessor\.json|json|md)$/,
  /^fixtures\/subject\/[^/]+\.(?:svg|json)$/,
  /^fixtures\/fsaverage5\/[^/]+$/,
  /^src\/report\/.*\.js$/,
  /^(?:README\.md|LICENSE|docs\/[^/]+\.md)$/,
];
/** Sources that editors and `deno check` take the types from. */
const TYPES = /^(?:mod|browser|src\/.*|fixtures\/.*)\.ts$/;

/** A package as npm describes it. */
interface Manifest {
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  exports: Record<string, { types: string; default: string }>;
}

/** Tasks that run from the package: description and command by name. */
export function packedTasks(): Record<string, { description: string; command: string }> {
  return Object.fromEntries(Object.entries(config.tasks).filter(([name]) => !OF_THE_REPOSITORY.test(name)));
}

/** "tasks/colors.ts" of "deno run … tasks/colors.ts". */
const fileOf = (command: string) => command.split(" ").at(-1)!;

/** Packages by the name that modules import them by: what npm calls them, their version, and the part that is imported. */
function npmPackages(): Map<string, { name: string; version: string; part: string }> {
  const found = Object.entries(config.imports).flatMap(([own, specifier]) => {
    const [, name, version, part = ""] = /^npm:(@?[^@]+)@([^/]+)(\/.*)?$/.exec(specifier) ?? [];
    return name ? [[own, { name, version, part }] as const] : [];
  });
  return new Map(found);
}

/**
 * A module as it is in the package. Deno runs no TypeScript within node_modules: types become blanks, so that lines stay where
 * they are, and files are named by what they are there; commands are those of the package.
 */
export function packedModule(path: string, text: string): string {
  const code = path.endsWith(".ts") ? withoutTypes(text) : text;
  const packages = npmPackages();
  return code
    .replace(/(["'`])((?:\.{1,2}\/|src\/|tasks\/|fixtures\/)[^"'`\n]*|mod)\.ts\1/g, "$1$2.js$1")
    .replace(
      /((?:\bfrom|\bimport\()\s*)"([^".][^"]*)"/g,
      (all, before, name) => packages.has(name) ? `${before}"${name}${packages.get(name)!.part}"` : all,
    )
    .replaceAll('"./run", ', '"npx", "alignedcut", ')
    .replaceAll("./run ", "npx alignedcut ");
}

/** JavaScript of a module, line for line; where enums or parameter properties need code of their own, written anew. */
function withoutTypes(text: string): string {
  try {
    return stripTypeScriptTypes(text);
  } catch {
    return stripTypeScriptTypes(text, { mode: "transform" });
  }
}

/**
 * Writes the package's files.
 *
 * @param folder an empty one
 * @returns their paths within it
 */
export async function writePackage(folder: string): Promise<string[]> {
  const tasks = packedTasks(), entries = Object.values(config.exports);
  const modules = [
    ...entries.map((path) => path.slice(2)),
    ...Object.values(tasks).map(({ command }) => fileOf(command)),
  ];
  const steps = ["tasks/slurm_step.ts", "tasks/maintenance/help.ts"];
  const { files, packages } = await importedBy([...modules, ...steps], ROOT);
  const paths = new Set([...files.keys(), COMMAND_SOURCE]), types: string[] = [];
  for (const path of await filesUnder("")) {
    if (READ.some((pattern) => pattern.test(path))) paths.add(path);
    if (TYPES.test(path)) types.push(path);
  }
  const written: string[] = [];
  for (const path of [...paths].sort()) {
    const isCode = /\.[jt]s$/.test(path) && !path.endsWith(".d.ts");
    const to = path === COMMAND_SOURCE ? BIN : isCode ? path.replace(/\.ts$/, ".js") : path;
    await Deno.mkdir(join(folder, dirname(to)), { recursive: true });
    if (isCode) {
      const text = packedModule(path, await Deno.readTextFile(new URL(path, ROOT)));
      await Deno.writeTextFile(join(folder, to), text);
    } else await Deno.copyFile(new URL(path, ROOT), join(folder, to));
    written.push(to);
  }
  for (const path of types) {
    await Deno.mkdir(join(folder, dirname(path)), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), join(folder, path));
  }
  await Deno.chmod(join(folder, BIN), 0o755);
  await Deno.writeTextFile(join(folder, BROWSER), await browserModule());
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  await Deno.writeTextFile(join(folder, "package.json"), json(manifest([...packages])));
  const { name, version, imports } = config;
  await Deno.writeTextFile(join(folder, "deno.json"), json({ name, version, imports, tasks }));
  return [...written, ...types, BROWSER, "package.json", "deno.json"];
}

/** What computes, as one module without imports. */
export function browserModule(): Promise<string> {
  return bundle('export * from "./browser.ts"');
}

/** The command's source: in the package a program of npm's, which looks for Deno. */
const COMMAND_SOURCE = "tasks/maintenance/alignedcut.js";

/** What npm reads. @param packages "sharp npm:sharp@1.2.3" */
function manifest(packages: string[]): Manifest & Record<string, unknown> {
  const known = npmPackages(), dependencies: Record<string, string> = { deno: DENO };
  for (const line of packages.sort()) {
    const found = known.get(line.split(" ")[0]);
    if (found) dependencies[found.name] = found.version;
  }
  const hnswlib = dependencies["hnswlib-node"];
  delete dependencies["hnswlib-node"];
  return {
    name: config.name,
    version: config.version,
    description: "Normalised cuts of vision-transformer features on WebGPU, for Deno",
    license: config.license,
    type: "module",
    bin: { alignedcut: BIN },
    exports: Object.fromEntries(
      Object.entries(config.exports).map(([name, path]) => [
        name,
        { types: path, default: name === "./browser" ? `./${BROWSER}` : path.replace(/\.ts$/, ".js") },
      ]),
    ),
    dependencies,
    optionalDependencies: { "hnswlib-node": hnswlib }, // npm compiles it, and goes on where it cannot
  };
}

/** Files of a folder of the project, that git may or may not know of; what can be made again left out. */
async function filesUnder(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))) {
    if (/^(?:\.|node_modules$|reports$|tests$)/.test(name)) continue;
    found.push(...isDirectory ? await filesUnder(`${folder}${name}/`) : [folder + name]);
  }
  return found;
}

/** Packs, by npm. @returns the path of the package */
export async function pack(out: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await writePackage(folder);
    const { code, stdout, stderr } = await new Deno.Command("npm", {
      args: ["pack", folder, "--json", "--silent", "--ignore-scripts", `--pack-destination=${folder}`],
      cwd: folder,
    }).output();
    const text = new TextDecoder();
    if (code !== 0) throw new Error(`npm could not pack: ${text.decode(stderr).trim().split("\n").at(-1)}`);
    const parsed = JSON.parse(text.decode(stdout)) as
      | { filename: string }[]
      | Record<string, { filename: string }>;
    const path = join(out, `alignedcut-${config.version}.tgz`);
    await Deno.copyFile(join(folder, Object.values(parsed)[0].filename), path);
    return path;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options: { out } }) => {
    await assertWritable(out);
    console.log(await pack(out));
    const module = join(out, "alignedcut.js");
    await Deno.writeTextFile(module, await browserModule());
    console.log(module);
  });
}
