import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Layers a file may import from, its own apart. */
const ALLOWED: Record<string, string[]> = {
  gpu: [],
  linalg: ["gpu"],
  graph: ["gpu", "linalg"],
  embed: ["gpu", "linalg", "graph"],
  align: ["gpu", "linalg", "graph"],
  data: ["gpu", "linalg", "graph", "embed", "align"],
  report: ["gpu", "linalg", "graph", "embed", "align", "data"], // data: pages are files, written as all files are
  experiments: ["gpu", "linalg", "graph", "embed", "align", "data", "report", "fixtures"],
  scripting: ["gpu", "linalg", "graph", "embed", "align", "data", "report", "experiments"], // loads packages on use only
};
const COMPUTE = ["gpu", "linalg", "graph", "embed", "align"];

function* typescriptFiles(folder: URL): Generator<URL> {
  for (
    const { name, isDirectory } of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)
  ) {
    if (isDirectory) yield* typescriptFiles(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

/** What a file imports or re-exports, statically or not. */
function importsOf(file: URL): string[] {
  const code = Deno.readTextFileSync(file).replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const statement =
    /^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/gm;
  return [...code.matchAll(statement)].map((match) => match[1] ?? match[2] ?? match[3]);
}

function pathOf(file: URL): string {
  return file.href.slice(ROOT.href.length);
}

/** "linalg" for src/linalg/matmul.ts, and for files outside of src their top folder. */
function layerOf(path: string): string {
  return path.replace(/^src\//, "").split("/")[0];
}

interface Import {
  from: string;
  specifier: string;
  /** Path in the project, for a file of it. */
  to?: string;
}

function importsUnder(folder: string): Import[] {
  return [...typescriptFiles(new URL(folder, ROOT))].flatMap((file) =>
    importsOf(file).map((specifier) => ({
      from: pathOf(file),
      specifier,
      to: specifier.startsWith(".") ? pathOf(new URL(specifier, file)) : undefined,
    }))
  );
}

function name({ from, specifier }: Import): string {
  return `${from} imports ${specifier}`;
}

Deno.test("importsOf() sees every form of import", () => {
  const file = Deno.readTextFileSync(new URL("mod.ts", ROOT));
  assertEquals(importsOf(new URL("mod.ts", ROOT)).length, file.match(/from "/g)!.length);
  assert(importsUnder("src/").some(({ specifier }) => specifier.endsWith("matmul.wgsl")));
});

Deno.test("src imports only point to lower layers", () => {
  const wrong = importsUnder("src/").filter(({ from, to }) => {
    if (to === undefined || layerOf(from) === "std") return false; // src/std stands in for a package
    const allowed = ALLOWED[layerOf(from)] ?? [];
    return ![layerOf(from), "shaders", ...allowed].includes(layerOf(to));
  });
  assertEquals(wrong.map(name), []);
});

Deno.test("compute layers import no package", () => {
  const wrong = importsUnder("src/").filter(({ from, to }) => COMPUTE.includes(layerOf(from)) && !to);
  assertEquals(wrong.map(name), []);
});

Deno.test("src/data and src/report serve experiments and tasks only: mod.ts exports nothing of them", () => {
  const exported = importsOf(new URL("mod.ts", ROOT)).filter((specifier) =>
    /src\/(data|report)\//.test(specifier)
  );
  assertEquals(exported, []);
});

Deno.test("tests/reference imports nothing but itself", () => {
  const wrong = importsUnder("tests/reference/").filter(({ to }) => !to?.startsWith("tests/reference/"));
  assertEquals(wrong.map(name), []);
});

Deno.test("every shader has its reference and its test, and is used by src", () => {
  const exists = (path: string) => {
    try {
      return Deno.statSync(new URL(path, ROOT)).isFile;
    } catch {
      return false;
    }
  };
  const used = new Set(importsUnder("src/").map(({ to }) => to));
  const missing = [...Deno.readDirSync(new URL("shaders/", ROOT))].flatMap(({ name }) => {
    const kernel = name.replace(/\.wgsl$/, "");
    const wanted = [`tests/reference/${kernel}.ts`, `tests/${kernel}_test.ts`].filter((path) =>
      !exists(path)
    );
    return used.has(`shaders/${name}`) ? wanted : [...wanted, `an import of shaders/${name} in src`];
  });
  assertEquals(missing, []);
});
