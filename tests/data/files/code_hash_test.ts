import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { hashOfModules, importedBy } from "../../../src/data/files/code_hash.ts";
import { copyFolder } from "../../support/copy_folder.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const ROOT = new URL("../../../", import.meta.url);
/** Modules that results are cached under. */
const KEYS = [
  "src/data/features/extract.ts",
  "src/pipeline/solve_graph.ts",
  "src/embed/spectral_map.ts",
  "src/align/train.ts",
  "src/experiments/segmentation/layer_graphs.ts",
  "src/data/datasets/open_data.ts",
];

/** What Deno says that modules import for more than their types, by path within the project. */
async function importedByDeno(module: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", module], cwd: ROOT })
    .output();
  interface Module {
    specifier: string;
    dependencies?: { code?: { specifier: string } }[];
  }
  const { roots, modules }: { roots: string[]; modules: Module[] } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const all = new Map(modules.map((module) => [module.specifier, module])), found = new Set<string>();
  const visit = (specifier: string) => {
    if (found.has(specifier) || !specifier.startsWith(ROOT.href)) return;
    found.add(specifier);
    for (const { code } of all.get(specifier)?.dependencies ?? []) if (code) visit(code.specifier);
  };
  roots.forEach(visit);
  return [...found].map((specifier) => specifier.slice(ROOT.href.length));
}

Deno.test("importedBy() finds all that Deno finds, shaders and workers included", async () => {
  await Promise.all(KEYS.map(async (key) => {
    const found = [...(await importedBy([key])).files.keys()], expected = await importedByDeno(key);
    assert(expected.length > 3, key);
    const absent = expected.filter((path) => !found.includes(path));
    assertEquals(absent, [], `${key} imports what the hash does not have`);
  }));
  const files = (await importedBy(["src/pipeline/solve_graph.ts"])).files;
  for (const path of ["shaders/matmul.wgsl", "src/graph/fowlkes.ts", "src/linalg/subspace_iteration.ts"]) {
    assert(files.has(path), path);
  }
  const extraction = await importedBy(["src/data/features/extract.ts"]);
  assert(extraction.files.has("src/data/onnx/worker.ts"), "the module of a worker");
  assert([...extraction.packages].some((name) => name.startsWith("onnxruntime-node npm:")), "a package");
  assert(!files.has("src/report/page.ts"));
});

Deno.test("hashOfModules() moves with a shader, a solver, a package, and with nothing else", () =>
  inTemporaryFolder(async (dir) => {
    for (const folder of ["src", "shaders"]) {
      await copyFolder(new URL(folder, ROOT).pathname, `${dir}/${folder}`);
    }
    await Deno.copyFile(new URL("deno.json", ROOT), `${dir}/deno.json`);
    const module = "src/pipeline/solve_graph.ts";
    let copies = 0;
    /** The hash now: of a root of another name each time, as one process takes files for unchanged. */
    const hash = async () => {
      const link = `${dir}/copy${copies++}`;
      await Deno.symlink(dir, link);
      return await hashOfModules([module], new URL(`file://${link}/`));
    };
    const before = await hash(),
      edit = async (path: string, change: (text: string) => string) => {
        const text = await Deno.readTextFile(`${dir}/${path}`), changed = change(text);
        assertNotEquals(changed, text, path);
        await Deno.writeTextFile(`${dir}/${path}`, changed);
        const after = await hash();
        await Deno.writeTextFile(`${dir}/${path}`, text);
        return after;
      };
    assertEquals(await hash(), before);
    const moves: [string, (text: string) => string][] = [
      ["shaders/matmul.wgsl", (text) => text.replace(/@workgroup_size\((?=[^]*$)/, "@workgroup_size(1 + ")],
      ["src/linalg/subspace_iteration.ts", (text) => `${text}\nexport const MORE = 1;\n`],
      ["src/graph/fowlkes.ts", (text) => text.replace(/return /, "return void 0 as never || ")],
      ["deno.json", (text) => text.replace(/hnswlib-node@[\d.]+/, "hnswlib-node@9.9.9")],
    ];
    for (const [path, change] of moves) assertNotEquals(await edit(path, change), before, path);
    const stays: [string, (text: string) => string][] = [
      ["src/report/page.css", (text) => `${text}\n`],
      ["src/align/train.ts", (text) => `${text}\nexport const MORE = 1;\n`],
      ["shaders/matmul.wgsl", (text) => `// another comment\n${text}`],
      ["src/graph/fowlkes.ts", (text) => `/**\n * Another comment.\n */\n${text}`],
      ["deno.json", (text) => text.replace(/sharp@[\d.]+/, "sharp@9.9.9")],
    ];
    for (const [path, change] of stays) assertEquals(await edit(path, change), before, path);
    await Deno.remove(`${dir}/shaders/matmul.wgsl`);
    await assertRejects(hash, Error, "Cannot read shaders/matmul.wgsl, which src/linalg/product.ts needs:");
  }));

Deno.test("experiments are cached under all modules that compute them", async () => {
  for await (const { name } of Deno.readDir(new URL("tasks/", ROOT))) {
    if (!name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(new URL(`tasks/${name}`, ROOT));
    if (!/\bkept\("/.test(text)) continue;
    const named = [...text.matchAll(/"((?:src\/experiments|tasks)\/[\w\/]+\.ts)"/g)].map((match) => match[1]);
    const { files } = await importedBy([
      "src/data/datasets/open_data.ts",
      "src/pipeline/images.ts",
      "src/pipeline/pipeline.ts",
      ...named,
    ]);
    const imported = [
      ...text.matchAll(
        /import (?!type)[^;]*? from "\.\.\/(src\/(?:experiments|pipeline|synthetic)\/[\w\/]+)\.ts"/g,
      ),
    ]
      .map((match) => `${match[1]}.ts`);
    // Reports draw what was cached, and say of which run; the rest computes.
    const absent = imported.filter((path) =>
      !files.has(path) && !/\/(?:report|index_page|run_data|unsuitable_data|write_experiment)\.ts$/.test(path)
    );
    assert(named.length > 0, name);
    assertEquals(absent, [], name);
  }
});
