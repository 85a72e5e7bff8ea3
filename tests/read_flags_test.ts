import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { taskList } from "../tasks/help.ts";
import { readFlags, wholeNumber } from "../tasks/read_flags.ts";

const ROOT = new URL("../", import.meta.url);
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

/** Files of the tasks that take options. */
const files = [...Deno.readDirSync(new URL("tasks/", ROOT))].map(({ name }) => `tasks/${name}`)
  .filter((file) => Deno.readTextFileSync(new URL(file, ROOT)).includes("const HELP = ")).sort();

Deno.test("every task of deno.json takes options through readFlags(), those of deno test, bench and doc aside", () => {
  const commands = Object.values(config.tasks).map(({ command }) => command);
  const others = commands.filter((command) => !files.some((file) => command.endsWith(` ${file}`)));
  assertEquals(others.filter((command) => !/run_tests\.ts$|^deno (?:bench|doc) /.test(command)), []);
});

/** The names in a list of the source, those of lists spread into it included. */
function namesIn(text: string, list: string): string[] {
  if (!list.startsWith("[")) list = new RegExp(`const ${list} = (\\[[^\\]]*\\])`).exec(text)?.[1] ?? "";
  const spread = [...list.matchAll(/\.\.\.(\w+)/g)].flatMap(([, name]) => namesIn(text, name));
  return [...[...list.matchAll(/"([\w-]+)"/g)].map((match) => match[1]), ...spread];
}

for (const file of files) {
  Deno.test(`${file} has help for all options that it reads through readFlags()`, () => {
    const text = Deno.readTextFileSync(new URL(file, ROOT));
    assertStringIncludes(text, "runTask(");
    const help = /const HELP = `([^]*?)`;/.exec(text)![1];
    const [name] = /(?<=^deno task )[\w:-]+/.exec(help) ?? [];
    assert(name?.replace(/:.*/, "").replaceAll("-", "_") === file.slice(6, -3), `help of ${name}`);
    if (!text.includes("readFlags(")) {
      // A task of names only: it has help, and takes no option for a name.
      assertStringIncludes(text, '"--help"');
      return;
    }
    const [, list] = /readFlags\([^,]+,\s*(\[[^\]]*\]|\w+)/.exec(text)!;
    const isPipeline = list.includes("PIPELINE_FLAGS"), options = namesIn(text, list);
    assert(options.length > 0 || isPipeline, `no options in ${list}`);
    for (const option of options) assertStringIncludes(help, `--${option} `);
    assertStringIncludes(help, isPipeline ? "${PIPELINE_HELP}" : "--help ");
  });
}

Deno.test("PIPELINE_HELP has every option of the pipeline", () => {
  const text = Deno.readTextFileSync(new URL("tasks/open_pipeline.ts", ROOT));
  const help = /PIPELINE_HELP = `([^]*?)`;/.exec(text)![1];
  const lists = ["FLAGS", "SWITCHES"].map((kind) => new RegExp(`PIPELINE_${kind} = ([^;]*);`).exec(text)![1]);
  const options = namesIn(text, `[${lists.join()}]`);
  assert(options.includes("figures") && options.includes("quick"), options.join());
  for (const option of [...options, "help"]) assertStringIncludes(help, `--${option} `);
});
