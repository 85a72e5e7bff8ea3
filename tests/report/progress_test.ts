import { assert, assertEquals, assertMatch } from "@std/assert";
import { formatSeconds, openProgress, PERCENT } from "../../src/report/progress.ts";

/** The lines that a stage of `total` steps writes when every step takes `step` milliseconds. */
function linesOf(total: number, step: number, last = total, unit = "images"): string[] {
  const lines: string[] = [];
  let time = 0;
  const progress = openProgress("extract", total, unit, {
    write: (line) => lines.push(line),
    now: () => time,
  });
  for (let done = 1; done <= last; done++) {
    time += step;
    progress.tick(done, `image ${done}`);
  }
  progress.finish();
  return lines;
}

Deno.test("openProgress() without a terminal writes at most one line per 10 %", () => {
  const lines = linesOf(100, 200);
  assertEquals(lines.length, 10);
  assertEquals(lines[0], "extract: 10 % (10/100 images, 18 s left) image 10");
  assertEquals(lines.at(-1), "extract: 100 images done in 20 s");
});

Deno.test("openProgress() without a terminal writes once in 5 s when steps are slow, and once in all when fast", () => {
  const slow = linesOf(100, 2500);
  assert(slow.length > 40 && slow.length <= 51, `${slow.length} lines`);
  assertEquals(linesOf(100, 1), ["extract: 100 images done in 0.1 s"]);
});

Deno.test("openProgress() says where a stage stopped, and takes a stage without steps", () => {
  assertEquals(linesOf(10, 1, 3), ["extract: stopped at 3 of 10 images in 0.0 s"]);
  assertEquals(linesOf(0, 1), ["extract: 0 images done in 0.0 s"]);
});

Deno.test("openProgress() writes what is no whole number of units as one", () => {
  const lines = linesOf(89.73, 200, 89, "MiB");
  assertEquals(lines[0], "extract: 10 % (9/90 MiB, 16 s left) image 9");
  assertEquals(lines.at(-1), "extract: stopped at 89 of 90 MiB in 18 s");
});

function* modulesOf(folder: string): Generator<string> {
  const path = new URL(`../../${folder}`, import.meta.url).pathname;
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) yield* modulesOf(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${path}/${name}`;
  }
}

Deno.test("every progress display of the project says its unit: a plural, MiB, or per cent", async () => {
  const places: string[] = [];
  for (const path of [...modulesOf("src"), ...modulesOf("tasks")]) {
    if (path.endsWith("report/progress.ts")) continue;
    const code = await Deno.readTextFile(path);
    for (const { index } of code.matchAll(/(?<!import[^;]*)\bopenProgress\(/g)) {
      const call = code.slice(index, index + 200);
      assertMatch(call, /^openProgress\([^;]*?, (?:PERCENT|"(?:[a-z]+s|MiB)")\)/, `${path}: ${call}`);
      places.push(path);
    }
  }
  assert(places.length >= 3, `${places.length} displays found`);
});

Deno.test("openProgress() in percent has no steps to count", () => {
  assertEquals(linesOf(100, 200, 100, PERCENT)[0], "extract: 10 % (18 s left) image 10");
  assertEquals(linesOf(100, 1, 100, PERCENT), ["extract: done in 0.1 s"]);
  assertEquals(linesOf(100, 1, 3, PERCENT), ["extract: stopped at 3 % in 0.0 s"]);
});

Deno.test("formatSeconds() keeps a decimal below 10 s and counts minutes above 60 s", () => {
  assertEquals([0.04, 9.94, 9.96, 59.4, 59.6, 200].map(formatSeconds), [
    "0.0 s",
    "9.9 s",
    "10 s",
    "59 s",
    "1 min 0 s",
    "3 min 20 s",
  ]);
});
