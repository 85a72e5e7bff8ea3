import { assert, assertEquals, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import {
  listOf,
  oneOf,
  realNumber,
  repeated,
  text,
  toggle,
  wholeNumber,
} from "../../src/cli/option_kinds.ts";
import { helpOf, parseOptions, refuseWithoutEffect, withoutOptions } from "../../src/cli/options.ts";
import { taskList } from "../../tasks/maintenance/help.ts";

const OPTIONS = {
  limit: wholeNumber({ help: "first N", from: 1, to: 9 }),
  landmarks: wholeNumber({ help: "N landmarks", from: 8, default: 300 }),
  lambda: realNumber({ help: "weight", from: 0, default: 1 }),
  radius: realNumber({ help: "radius", above: 0 }),
  out: text({ value: "DIR", help: "folder", default: "here" }),
  note: text({ help: "may be empty", mayBeEmpty: true }),
  "neighbor-search": oneOf(["exact", "hnsw", "auto"], {
    help: "how",
    default: "exact",
    formerly: "knn",
    renamed: { graph: "hnsw" },
  }),
  tables: listOf(["arrow", "csv"], { help: "formats" }),
  model: repeated({ value: "FILE", help: "models" }),
  quick: toggle({ help: "less" }),
  "check-error": toggle({ help: "more", formerly: "audit" }),
};

/** What is printed to the terminal while something runs. */
function printedBy(work: () => unknown): string[] {
  const lines: string[] = [], { error } = console;
  console.error = (line: string) => lines.push(line);
  try {
    work();
  } finally {
    console.error = error;
  }
  return lines;
}

function refused(args: string[], message: string): void {
  assertThrows(() => parseOptions(OPTIONS, args), RangeError, message);
}

Deno.test("parseOptions() reads every kind of option with its type, and gives defaults and null for help", () => {
  const args = ["--limit", "3", "--out=a b", "--quick", "--lambda", "1.5", "--tables", "csv, arrow,csv"];
  const { options, given } = parseOptions(OPTIONS, [...args, "--model", "a,b", "--model=c", "--note="])!;
  assertEquals(options, {
    limit: 3,
    landmarks: 300,
    lambda: 1.5,
    radius: undefined,
    out: "a b",
    note: "",
    "neighbor-search": "exact",
    tables: ["csv", "arrow"],
    model: ["a", "b", "c"],
    quick: true,
    "check-error": false,
  });
  assertEquals([...given], ["limit", "lambda", "out", "note", "tables", "model", "quick"]);
  const limit: number | undefined = options.limit,
    search: "exact" | "hnsw" | "auto" = options["neighbor-search"];
  assertEquals([limit, search], [3, "exact"]);
  assertEquals(parseOptions(OPTIONS, ["--help"]), null);
  assertEquals(parseOptions(OPTIONS, ["--out", "x", "-h"]), null);
});

Deno.test("parseOptions() names the nearest option, also of a stray word and a short option", () => {
  const cases = { "--lambdas": "lambda", "--landmark=3": "landmarks", limt: "limit", "-o": "out" };
  for (const [arg, nearest] of Object.entries(cases)) {
    refused([arg], `There is no option ${arg}: did you mean --${nearest}?`);
  }
  refused(["--zzz"], "There is no option --zzz: --help lists them all.");
  refused(["--quick", "true"], '"true" belongs to no option: write --NAME true.');
  refused(["--toString", "3"], "There is no option --toString");
  refused(["--__proto__=3"], "There is no option --__proto__");
  refused(["--", "word"], "There is no option --");
  refused(["--"], "There is no option --");
});

Deno.test("parseOptions() names the nearest option that takes such a value, or the one that it is for", () => {
  refused(["--land", "many"], "There is no option --land: did you mean --landmarks?");
  refused(["--limits=exact"], "There is no option --limits=exact: did you mean --limit?");
  refused(["--la", "0.5"], "did you mean --lambda?");
  refused(["--tab", "csv"], "did you mean --tables?");
  refused(["--weights", "vit.onnx"], "There is no option --weights: did you mean --model vit.onnx?");
  refused(["--network=vit.onnx"], "did you mean --model vit.onnx?");
  refused(["--qui"], "did you mean --quick?");
});

Deno.test("parseOptions() names no option where none is like what was typed", () => {
  for (const arg of ["--voxels=3", "--folder", "--photos", "--weights", "--mnist"]) {
    refused([arg], `There is no option ${arg}: --help lists them all.`);
  }
  refused(["--voxels", "3"], "There is no option --voxels: --help lists them all.");
  for (const [arg, nearest] of [["--modle", "model"], ["--outpt", "out"], ["--output", "out"]]) {
    refused([arg, "x"], `There is no option ${arg}: did you mean --${nearest}?`);
  }
});

Deno.test("parseOptions() refuses an option without its value and a switch with one", () => {
  refused(["--out"], "--out is given without a value: write --out=DIR.");
  refused(["--out", "--quick"], "--out is given without");
  refused(["--out="], "--out is given without");
  refused(["--quick=yes"], "--quick takes no value");
  assertEquals(parseOptions(OPTIONS, ["--out=--odd"])!.options.out, "--odd");
  assertEquals(parseOptions(OPTIONS, ["--out", "-o"])!.options.out, "-o");
});

Deno.test("parseOptions() says what a value has to be", () => {
  assertEquals(parseOptions(OPTIONS, ["--limit", "9"])!.options.limit, 9);
  refused(["--limit", "ten"], '--limit is "ten": give a whole number from 1 to 9.');
  refused(["--limit", "10"], '--limit is "10": give a whole number from 1 to 9.');
  refused(["--limit", "-3"], '--limit is "-3": give a whole number from 1 to 9.');
  refused(["--limit", "1e0"], '--limit is "1e0"');
  refused(["--landmarks", "7"], '--landmarks is "7": give a whole number from 8 on.');
  refused(["--landmarks", "99999999999999999999"], "from 8 to 9007199254740991.");
  refused(["--lambda", "much"], '--lambda is "much": give a number from 0 on.');
  refused(["--lambda", "Infinity"], '--lambda is "Infinity"');
  refused(["--radius", "0"], '--radius is "0": give a number above 0.');
  refused(["--neighbor-search", "fast"], '--neighbor-search is "fast": give exact, hnsw or auto.');
  refused(["--tables", "csv,xls"], '--tables has "xls": give arrow, csv or arrow,csv.');
});

Deno.test("parseOptions() takes an old name, and reports the new one; of an option given twice, the last counts", () => {
  let parsed = parseOptions(OPTIONS, []);
  const lines = printedBy(() => parsed = parseOptions(OPTIONS, ["--knn", "auto", "--audit"]));
  assertEquals([parsed!.options["neighbor-search"], parsed!.options["check-error"]], ["auto", true]);
  assertEquals(lines, [
    "--knn is called --neighbor-search now; the next version drops the old name.",
    "--audit is called --check-error now; the next version drops the old name.",
  ]);
  const choice = printedBy(() => parsed = parseOptions(OPTIONS, ["--neighbor-search", "graph"]));
  assertEquals(parsed!.options["neighbor-search"], "hnsw");
  assertEquals(choice, ["--neighbor-search graph is called hnsw now; the next version drops the old name."]);
  const twice = printedBy(() => parsed = parseOptions(OPTIONS, ["--limit", "1", "--limit=2"]));
  assertEquals(parsed!.options.limit, 2);
  assertEquals(twice, ["--limit is given more than once: 2, the last, counts."]);
  assertEquals(printedBy(() => parseOptions(OPTIONS, ["--limit", "1", "--limit=1"])), []);
});

Deno.test("refuseWithoutEffect() names the options that were typed, and why they change nothing", () => {
  const { given } = parseOptions(OPTIONS, ["--limit", "1", "--quick"])!;
  refuseWithoutEffect(given, ["out", "landmarks"], "not here");
  const why = "they belong together";
  assertThrows(
    () => refuseWithoutEffect(given, ["limit", "out", "quick"], why),
    RangeError,
    "--limit and --quick have no effect here: they belong together.",
  );
  assertThrows(() => refuseWithoutEffect(given, ["quick"], why), RangeError, "--quick has no effect here");
});

Deno.test("withoutOptions() leaves out options by both names, with their values", () => {
  const args = ["--knn", "hnsw", "--out", "knn", "--audit", "--neighbor-search=auto", "--limit", "3"];
  const { "neighbor-search": search, "check-error": check } = OPTIONS;
  const rest = withoutOptions({ "neighbor-search": search, "check-error": check }, args);
  assertEquals(rest, ["--out", "knn", "--limit", "3"]);
});

Deno.test("helpOf() has every option once with its default, aligned, and sections below their headings", () => {
  const { quick, tables } = OPTIONS;
  const help = helpOf({
    task: "try",
    options: { ...OPTIONS, long: text({ help: "word ".repeat(60).trim() }) },
    about: "What it does.",
    sections: [{ heading: "Further:", options: { quick, tables } }],
    after: "The end.",
  });
  const lines = help.split("\n");
  assertEquals(lines.slice(0, 4), ["./run try [options]", "", "What it does.", ""]);
  for (const name of [...Object.keys(OPTIONS), "long", "help"]) {
    assertEquals(lines.filter((line) => new RegExp(`^  --${name}(?: |$)`).test(line)).length, 1, name);
  }
  assert(lines.every((line) => line.length <= 110), help);
  const columns = lines.filter((line) => line.startsWith("  ")).map((line) =>
    /^ *(?:--.*?  +)?/.exec(line)![0].length
  );
  assertEquals(new Set(columns).size, 1, help);
  assert(help.includes("--out DIR ") && help.includes("folder (default: here)"), help);
  assert(
    help.indexOf("Further:") < help.indexOf("--quick") && help.indexOf("--limit") < help.indexOf("Further:"),
  );
  assertEquals(lines.at(-1), "The end.");
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
