import { assert, assertEquals } from "@std/assert";
import { MUTANTS } from "../mutants/mod.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("every mutant's text occurs once in its file, and the tests that should notice it exist", async () => {
  const code = new Map<string, string>(), wrong: string[] = [];
  for (const { file, text, replacement, breaks, tests } of MUTANTS) {
    if (!code.has(file)) code.set(file, await Deno.readTextFile(new URL(file, ROOT)));
    const count = code.get(file)!.split(text).length - 1;
    if (count !== 1) wrong.push(`${file}: the text of "${breaks}" occurs ${count} times: write it anew`);
    assert(text !== replacement && tests.length > 0, breaks);
    for (const test of tests) assert((await Deno.stat(new URL(`tests/${test}`, ROOT))).isFile);
  }
  assertEquals(wrong, []);
});

Deno.test("there are mutants in every folder of src, in shaders and in tasks", () => {
  const folders = [...Deno.readDirSync(new URL("src", ROOT))].map(({ name }) => `src/${name}/`);
  for (const folder of [...folders, "shaders/", "tasks/"]) {
    assert(MUTANTS.some(({ file }) => file.startsWith(folder)), folder);
  }
});
