import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url);

/** Layers a file may import from, its own apart. */
const ALLOWED: Record<string, string[]> = {};
const ORDER = ["gpu", "linalg", "statistics", "graph", "embed", "align", "data", "report", "cli", "pipeline"];
ORDER.push("synthetic", "experiments", "scripting");
ORDER.forEach((layer, i) => ALLOWED[layer] = ORDER.slice(0, i));
/** Neither of these two knows of the other. */
ALLOWED.align = ALLOWED.align.filter((layer) => layer !== "embed");
for (const layer of ["synthetic", "experiments"]) ALLOWED[layer].push("fixtures");
const COMPUTE = ["gpu", "linalg", "statistics", "graph", "embed", "align"];

function* typescriptFiles(folder: URL): Generator<URL> {
  for (const file of codeFiles(folder)) if (file.href.endsWith(".ts")) yield file;
}

function* codeFiles(folder: URL): Generator<URL> {
  for (
    const { name, isDirectory } of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)
  ) {
    if (name === "node_modules") continue; // the benchmark's peers, where they are installed
    if (isDirectory) yield* codeFiles(new URL(`${name}/`, folder));
    else if (/\.(?:ts|js|css|wgsl)$/.test(name)) yield new URL(name, folder);
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
  const file = Deno.readTextFileSync(new URL("browser.ts", ROOT));
  assertEquals(importsOf(new URL("browser.ts", ROOT)).length, file.match(/from "/g)!.length);
  assert(importsUnder("src/").some(({ specifier }) => specifier.endsWith("matmul.wgsl")));
});

Deno.test("src imports only point to lower layers", () => {
  const wrong = importsUnder("src/").filter(({ from, to }) => {
    if (to === undefined || to === "deno.json") return false;
    const allowed = ALLOWED[layerOf(from)] ?? [];
    return ![layerOf(from), "shaders", ...allowed].includes(layerOf(to));
  });
  assertEquals(wrong.map(name), []);
});

Deno.test("compute layers import no package", () => {
  const wrong = importsUnder("src/").filter(({ from, to }) => COMPUTE.includes(layerOf(from)) && !to);
  assertEquals(wrong.map(name), []);
});

Deno.test("mod.ts is what computes and what scripts use; data, report and script are entries of their own", () => {
  assertEquals(importsOf(new URL("mod.ts", ROOT)), ["./browser.ts", "./src/scripting/mod.ts"]);
  for (const [entry, folder] of Object.entries({ data: "data", report: "report", script: "scripting" })) {
    assertEquals(config.exports[`./${entry}` as keyof typeof config.exports], `./src/${folder}/mod.ts`);
    const own = importsOf(new URL(`src/${folder}/mod.ts`, ROOT));
    assert(
      own.length > 0 && (folder === "scripting" || own.every((specifier) => specifier.startsWith("./"))),
    );
  }
});

Deno.test("browser.ts is in the order of the layers, and has those that compute, whose code names no API of Deno's", () => {
  const exported = importsOf(new URL("browser.ts", ROOT)).map((specifier) =>
    layerOf(pathOf(new URL(specifier, ROOT)))
  );
  assertEquals(exported, exported.toSorted((a, b) => COMPUTE.indexOf(a) - COMPUTE.indexOf(b)));
  assertEquals([...new Set(exported)], COMPUTE);
  const calls = COMPUTE.flatMap((layer) => [...typescriptFiles(new URL(`src/${layer}/`, ROOT))]).filter((
    file,
  ) => /\bDeno\.\w/.test(Deno.readTextFileSync(file)));
  assertEquals(calls.map(pathOf), []);
});

Deno.test("tests/reference imports nothing but itself", () => {
  const wrong = importsUnder("tests/reference/").filter(({ to }) => !to?.startsWith("tests/reference/"));
  assertEquals(wrong.map(name), []);
});

Deno.test("every shader has its reference and its test, and is used by src", () => {
  const files = [...typescriptFiles(new URL("tests/", ROOT))].map(pathOf);
  const used = new Set(importsUnder("src/").map(({ to }) => to));
  const missing = [...Deno.readDirSync(new URL("shaders/", ROOT))].flatMap(({ name }) => {
    const kernel = name.replace(/\.wgsl$/, "");
    const wanted = [`tests/reference/${kernel}.ts`, `/${kernel}_test.ts`].filter((path) =>
      !files.some((file) => file.endsWith(path))
    );
    return used.has(`shaders/${name}`) ? wanted : [...wanted, `an import of shaders/${name} in src`];
  });
  assertEquals(missing, []);
});

Deno.test("no file imports itself by way of others", () => {
  const imports = new Map<string, string[]>();
  for (const { from, to } of ["src/", "tasks/", "fixtures/"].flatMap(importsUnder)) {
    if (to?.endsWith(".ts")) imports.set(from, [...imports.get(from) ?? [], to]);
  }
  const done = new Set<string>(), circles: string[] = [];
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    else if (!done.has(file)) {
      for (const to of imports.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    }
  };
  for (const file of imports.keys()) visit(file, []);
  assertEquals(circles, []);
});

Deno.test("experiments share by src/experiments/shared only, galleries apart", () => {
  const folder = (path = "") => /^src\/experiments\/(\w+)\//.exec(path)?.[1];
  const wrong = importsUnder("src/experiments/").filter(({ from, to }) =>
    folder(from) !== "galleries" && folder(to) && ![folder(from), "shared"].includes(folder(to))
  );
  assertEquals(wrong.map(name), []);
});

/** Literals that are spread as they stand, on one line or several: not what is called on them, nor `{} as` a type. */
function spreadLiterals(code: string): string[] {
  const bare = code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [...bare.matchAll(/(?<!["'`])\.\.\.[{[]/g)].flatMap(({ index }) => {
    let depth = 0, end = index + 3;
    do depth += /[{[(]/.test(bare[end]) ? 1 : /[}\])]/.test(bare[end]) ? -1 : 0; while (
      depth > 0 && ++end < bare.length
    );
    const isUsed = /^\s*(?:\.|\[|as (?!const\b))/.test(bare.slice(end + 1));
    return isUsed ? [] : [bare.slice(index, end + 1).replace(/\s+/g, " ")];
  });
}

Deno.test("nothing is spread that could be written out: `...{ a, b }` and `...[a, b]` for the sake of line breaks", () => {
  const wrapped =
    "f({\n  ...{\n    a,\n    b,\n  },\n  ...[c].map(g), ...{} as T,\n}, ...[1, 2] as const);\n";
  assertEquals(spreadLiterals(wrapped), ["...{ a, b, }", "...[1, 2]"]);
  const found = ["src/", "tasks/", "tests/", "fixtures/", "examples/"].flatMap((folder) =>
    [...codeFiles(new URL(folder, ROOT))].filter((file) => /\.[jt]s$/.test(file.href)).flatMap((file) =>
      spreadLiterals(Deno.readTextFileSync(file)).map((literal) => `${pathOf(file)}: ${literal}`)
    )
  );
  assertEquals(found.filter((line) => !line.startsWith("tests/end_to_end/layers_test.ts:")), []);
});

Deno.test("no file has more than 400 lines", () => {
  const long = ["src/", "shaders/", "tasks/", "tests/"].flatMap((folder) =>
    [...codeFiles(new URL(folder, ROOT))].map((file) => ({
      path: pathOf(file),
      lines: Deno.readTextFileSync(file).split("\n").length - 1,
    }))
  ).filter(({ lines }) => lines > 400);
  assertEquals(long.map(({ path, lines }) => `${path}: ${lines}`), []);
});
