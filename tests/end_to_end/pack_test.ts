import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { exampleData } from "../../mod.ts";
import { cacheFolder } from "../../src/data/files/project_folder.ts";
import { pack, packedModule, packedTasks, writePackage } from "../../tasks/maintenance/pack.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

Deno.test("the package, installed by npm into an empty folder, is a command and an import there", async () => {
  const { photographs, subject } = await exampleData();
  await inTemporaryFolder(async (made) => {
    const dir = await Deno.realPath(made), caches = `${dir}/caches`;
    const typed = async (program: string, ...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args,
        cwd: `${dir}/empty`,
        env: { XDG_CACHE_HOME: caches, npm_config_update_notifier: "false" },
      }).output();
      const text = new TextDecoder();
      return { code, said: text.decode(stderr).trim(), printed: text.decode(stdout).trim() };
    };
    await Deno.mkdir(`${dir}/empty`);
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    const installed = await typed("npm", "install", ...quiet, await pack(dir));
    assertEquals(installed.code, 0, installed.said);

    const help = await typed("npx", "alignedcut", "help");
    for (const name of Object.keys(packedTasks())) assertMatch(help.printed, new RegExp(`^  ${name} `, "m"));
    const unknown = await typed("npx", "alignedcut", "color");
    assertEquals([unknown.code, unknown.said], [
      1,
      'There is no task "color": did you mean npx alignedcut colors? (npx alignedcut help lists them all.)',
    ]);

    const options = [
      "--images",
      photographs,
      "--data",
      `algonauts:${subject}`,
      "--model",
      "clip_tiny",
      "--quick",
      "--limit",
      "2",
    ];
    const colors = await typed("npx", "alignedcut", "colors", ...options);
    assertEquals(colors.code, 0, colors.said);
    const page = await Deno.readTextFile(`${dir}/empty/reports/out/colors.html`);
    assertStringIncludes(page, "npx alignedcut colors --images");
    assert(!page.includes("./run "), "a command that is not there");
    // What can be made again lies outside of node_modules.
    assert([...Deno.readDirSync(`${caches}/alignedcut`)].some(({ name }) => name === "runs"));
    const hnsw = await typed(
      "npx",
      "alignedcut",
      "nystrom",
      ...options,
      "--neighbors",
      "8",
      "--neighbor-search",
      "hnsw",
    );
    assertEquals(hnsw.code, 1);
    assertMatch(
      hnsw.said,
      /needs? the package hnswlib-node, which does not load \([^.]*\): .* works without it\.$/m,
    );

    await Deno.writeTextFile(
      `${dir}/empty/script.ts`,
      `import { closeGpu, normalizedCut, openGpu, patchFeatures } from "@alignedcut/alignedcut";
import { readMatrix } from "@alignedcut/alignedcut/data";
import { table } from "@alignedcut/alignedcut/report";
import { listPhotographs } from "@alignedcut/alignedcut/script";
const photographs: string[] = await listPhotographs(Deno.args[0], 2);
const features = (await patchFeatures("clip_tiny", photographs, [9])).layers[0].patches;
const gpu = await openGpu();
const cut = await normalizedCut(gpu, features, { components: 3 });
console.log(features.rows, cut.eigenvalues.length, typeof readMatrix, typeof table);
closeGpu(gpu);
`,
    );
    const script = await typed(Deno.execPath(), "run", "-A", "script.ts", photographs);
    assertEquals([script.code, script.printed], [0, "392 3 function function"], script.said);
    const checked = await typed(Deno.execPath(), "check", "script.ts");
    assertEquals(checked.code, 0, checked.said);
  });
});

Deno.test("writePackage() writes no TypeScript that runs, pins what deno.json pins, and names no command that is not there", async () => {
  await inTemporaryFolder(async (dir) => {
    const files = await writePackage(dir);
    const { bin, exports, dependencies, optionalDependencies } = JSON.parse(
      await Deno.readTextFile(`${dir}/package.json`),
    );
    for (const { default: path, types } of Object.values<{ default: string; types: string }>(exports)) {
      assert(files.includes(path.slice(2)) && files.includes(types.slice(2)), path);
    }
    assert(files.includes(bin.alignedcut));
    assertEquals(Object.keys(exports), Object.keys(config.exports));
    for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies })) {
      if (name === "deno") continue;
      const pinned = `npm:${name}@${version}`;
      assert(
        Object.values(config.imports).some((own) => own === pinned || own.startsWith(`${pinned}/`)),
        name,
      );
    }
    for (const path of files.filter((path) => path.endsWith(".js"))) {
      const text = await Deno.readTextFile(`${dir}/${path}`);
      assert(!/(?:from|import\() ?"[^"]*\.ts"/.test(text), `${path} imports TypeScript`);
      if (path !== bin.alignedcut) assert(!text.includes("./run "), `${path} names ./run`);
    }
  });
});

Deno.test("packedModule() takes types off, and names files, packages and commands as they are there", () => {
  const text = `import { readNpy } from "../formats/npy.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { File } from "h5wasm";
const worker = new URL("./worker.ts", import.meta.url), key: string = "src/align/train.ts";
console.log(\`type ./run models add, or give a .ts file\`, ["./run", "colors"]);
`;
  const packed = packedModule("src/data/a/b.ts", text);
  assertEquals(packed.split("\n").length, text.split("\n").length);
  assertStringIncludes(packed, 'from "../formats/npy.js"');
  assertStringIncludes(packed, 'from "h5wasm/node"');
  assert(!packed.includes("Matrix") && !packed.includes(": string"));
  assertStringIncludes(packed, '"./worker.js"');
  assertStringIncludes(packed, '"src/align/train.js"');
  assertStringIncludes(packed, "type npx alignedcut models add, or give a .ts file");
  assertStringIncludes(packed, '["npx", "alignedcut", "colors"]');
});

Deno.test("cacheFolder() is the checkout's, and never in node_modules", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];
  assertEquals(
    cacheFolder("/home/a/alignedcut/", env({ XDG_CACHE_HOME: "/caches" })),
    "/home/a/alignedcut/.cache",
  );
  const there = "/home/a/b/node_modules/@alignedcut/alignedcut/";
  assertEquals(cacheFolder(there, env({ XDG_CACHE_HOME: "/caches", HOME: "/home/a" })), "/caches/alignedcut");
  assertEquals(
    cacheFolder(there, env({ XDG_CACHE_HOME: "relative", HOME: "/home/a" })),
    "/home/a/.cache/alignedcut",
  );
  assertEquals(cacheFolder(there, env({ HOME: "/home/a" })), "/home/a/.cache/alignedcut");
});
