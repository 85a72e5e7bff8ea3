import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { newScript } from "../../tasks/maintenance/new.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

async function deno(cwd: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

Deno.test("newScript() writes a script that has its name and runs", async () => {
  await inTemporaryFolder(async (dir) => {
    const path = await newScript("my_first", `${dir}/scripts`);
    const code = await Deno.readTextFile(path);
    assert(!code.includes("NAME") && code.includes("my_first"));
    assertEquals([...Deno.readDirSync(`${dir}/scripts`)].map(({ name }) => name), ["my_first.ts"]);
    const run = await deno(dir, "run", "-A", "--no-lock", "--config", CONFIG, path, "--layer", "3");
    assertEquals(run.code, 0, run.stderr);
    assertStringIncludes(run.stdout, "2352 patches of 12 photographs: my_first/index.html and nodes.csv");
    assertStringIncludes(
      await Deno.readTextFile(`${dir}/my_first/index.html`),
      "How many groups stand apart?",
    );
  });
});

Deno.test("newScript() leaves a script alone that is there", async () => {
  await inTemporaryFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/mine.ts`, "// my work\n");
    await assertRejects(() => newScript("mine", dir), Error, "mine.ts is there already and is left alone");
    assertEquals(await Deno.readTextFile(`${dir}/mine.ts`), "// my work\n");
    assertEquals([...Deno.readDirSync(dir)].length, 1);
  });
});

Deno.test("newScript() refuses names that are no file name of the house", async () => {
  await inTemporaryFolder(async (dir) => {
    for (
      const name of ["", "../mine", "My Script", "a.ts", "1st", "-x", "a/b", "$(x)", "a".repeat(65), "é"]
    ) {
      await assertRejects(() => newScript(name, dir), RangeError, `The name "${name}" is not usable`);
    }
    assertEquals([...Deno.readDirSync(dir)], []);
  });
});

Deno.test("./run new tells how to use it, and what is wrong in one sentence", async () => {
  const task = new URL("../../tasks/maintenance/new.ts", import.meta.url).pathname;
  const help = await deno(".", "run", "--allow-read", "--allow-write", task);
  assertStringIncludes(help.stdout, "./run new NAME");
  const two = await deno(".", "run", "--allow-read", "--allow-write", task, "my", "script");
  assertEquals([two.code, two.stderr], [
    1,
    "There are 2 names: give one, with underscores instead of spaces.\n",
  ]);
});
