import { DATA_HELP } from "../../src/cli/data_flags.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { taskList } from "../../tasks/maintenance/help.ts";
import { readFlags, wholeNumber } from "../../src/cli/read_flags.ts";

const ROOT = new URL("../../", import.meta.url);
const VALUES = ["limit", "landmarks", "out", "lambda"];

Deno.test("readFlags() reads values and switches, and gives null for help", () => {
  const flags = readFlags(["--limit", "3", "--out=a b", "--quick"], VALUES, ["quick"])!;
  assertEquals([flags.limit, flags.out, flags.quick, flags.landmarks], ["3", "a b", true, undefined]);
  assertEquals(readFlags(["--help"], VALUES), null);
});

Deno.test("readFlags() names the nearest option, also of a stray word and a short option", () => {
  const cases = { "--lambdas": "lambda", "--landmark=3": "landmarks", limt: "limit", "-o": "out" };
  for (const [arg, nearest] of Object.entries(cases)) {
    assertThrows(
      () => readFlags([arg], VALUES),
      RangeError,
      `There is no option ${arg}: did you mean --${nearest}?`,
    );
  }
});

Deno.test("readFlags() refuses an option without its value and a switch with one", () => {
  assertThrows(() => readFlags(["--out"], VALUES, ["quick"]), RangeError, "--out is given without a value");
  assertThrows(
    () => readFlags(["--out", "--quick"], VALUES, ["quick"]),
    RangeError,
    "--out is given without",
  );
  assertThrows(() => readFlags(["--quick=yes"], VALUES, ["quick"]), RangeError, "--quick takes no value");
});

Deno.test("wholeNumber() says the range", () => {
  const flags = { limit: "ten", landmarks: "7" };
  assertEquals(wholeNumber(flags, "landmarks", 1), 7);
  assertEquals(wholeNumber(flags, "landmarks", 1, 7), 7);
  assertThrows(() => wholeNumber(flags, "landmarks", 1, 6), RangeError, "give a whole number from 1 to 6.");
  assertEquals(wholeNumber(flags, "out", 1), undefined);
  assertThrows(
    () => wholeNumber(flags, "limit", 1, 9),
    RangeError,
    '--limit is "ten": give a whole number from 1 to 9.',
  );
  assertThrows(() => wholeNumber(flags, "landmarks", 8), RangeError, "from 8 on");
});

Deno.test("taskList() has one line for every task of deno.json, aligned", () => {
  const lines = taskList(config).split("\n").filter((line) => line.startsWith("  "));
  assertEquals(lines.length, Object.keys(config.tasks).length);
  assert(lines.every((line) => line.length <= 120), lines.filter((line) => line.length > 120).join("\n"));
  assertEquals(new Set(lines.map((line) => /^ {2}\S+ +/.exec(line)![0].length)).size, 1);
  assertThrows(
    () => taskList({ tasks: { x: { description: "" } } }),
    Error,
    "The task x in deno.json has no",
  );
});

/** Files of the tasks that take options, and what is in them. */
const files = ["tasks/", "tasks/maintenance/"].flatMap((folder) =>
  [...Deno.readDirSync(new URL(folder, ROOT))].filter(({ isFile }) => isFile).map(({ name }) => ({
    file: `${folder}${name}`,
    text: Deno.readTextFileSync(new URL(`${folder}${name}`, ROOT)),
  }))
)
  .filter(({ text }) => text.includes("const HELP = ") || text.includes("await experimentTask("))
  .sort((a, b) => a.file < b.file ? -1 : 1);

Deno.test("every task of deno.json takes options through readFlags(), those of deno test and doc aside", () => {
  const commands = Object.values(config.tasks).map(({ command }) => command);
  const others = commands.filter((command) => !files.some(({ file }) => command.endsWith(` ${file}`)));
  assertEquals(
    others.filter((command) =>
      !/run_tests\.ts$|^(?:mkdir -p reports\/out && )?deno (?:doc|audit)\b/.test(command)
    ),
    [],
  );
});

/** The names in a list of the source, those of lists spread into it included. */
function namesIn(text: string, list: string): string[] {
  if (!list.startsWith("[")) list = new RegExp(`const ${list} = (\\[[^\\]]*\\])`).exec(text)?.[1] ?? "";
  const spread = [...list.matchAll(/\.\.\.(\w+)/g)].flatMap(([, name]) => namesIn(text, name));
  return [...[...list.matchAll(/"([\w-]+)"/g)].map((match) => match[1]), ...spread];
}

/** The text of a constant of the source, in backquotes, and of those put into it. */
function textOf(text: string, constant: string): string {
  const own = new RegExp(`const ${constant} = \`([^]*?)\`;`).exec(text)?.[1] ?? "";
  return own.replace(/\$\{(\w+)\}/g, (_, name) => name === "DATA_HELP" ? DATA_HELP : textOf(text, name));
}

for (const { file, text } of files) {
  Deno.test(`${file} has help for all options that it reads`, () => {
    const help = textOf(text, "HELP"), name = /\/(\w+)\.ts$/.exec(file)![1].replaceAll("_", "-");
    if (text.includes("await experimentTask(")) {
      assertEquals(/experimentTask\("([\w-]+)"/.exec(text)![1], name);
      const [, own = "[]"] = /values: (\[[^\]]*\])/.exec(text) ?? [];
      for (const option of namesIn(text, own)) assertStringIncludes(help, `--${option} `);
      return;
    }
    assertStringIncludes(text, "runTask(");
    const [found] = /(?<=^\.\/run )[\w:-]+/.exec(help) ?? [];
    assert(found?.replace(":", "-") === name, `help of ${found}`);
    if (!/read(?:Pipeline)?Flags\(/.test(text)) {
      // A task of names only: it has help, and takes no option for a name.
      assertStringIncludes(text, '"--help"');
      return;
    }
    const [, list] = /readPipelineFlags\((\[[^\]]*\]|\w+)/.exec(text) ??
      /readFlags\([^,]+,\s*(\[[^\]]*\]|\w+)/.exec(text)!;
    const options = namesIn(text, list), isPipeline = text.includes("readPipelineFlags(");
    assert(options.length > 0 || isPipeline || list === "[]", `no options in ${list}`);
    for (const option of options) assertStringIncludes(help, `--${option} `);
    assert(isPipeline ? text.includes("${PIPELINE_HELP}") : help.includes("--help "));
  });
}

Deno.test("PIPELINE_HELP has every option of the pipeline", () => {
  const text = Deno.readTextFileSync(new URL("tasks/shared/open_pipeline.ts", ROOT));
  const help = textOf(text, "PIPELINE_HELP");
  const lists = ["FLAGS", "SWITCHES"].map((kind) => new RegExp(`PIPELINE_${kind} = ([^;]*);`).exec(text)![1]);
  const options = namesIn(text, `[${lists.join()}]`);
  assert(
    options.includes("figures") && options.includes("quick") && options.includes("data"),
    options.join(),
  );
  for (const option of [...options, "help"]) assertStringIncludes(help, `--${option} `);
});
