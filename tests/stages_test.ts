import { assertEquals, assertRejects } from "@std/assert";
import { openStages } from "../src/data/stages.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";

Deno.test("stages run once for the same inputs, and say what changed", () =>
  inTemporaryFolder(async (dir) => {
    let runs = 0;
    const compute = async (folder: string) => {
      runs++;
      await Deno.writeTextFile(`${folder}/result`, String(runs));
    };
    const once = async (inputs: Record<string, unknown>, explain = false) => {
      const stages = openStages(dir, explain);
      const folder = await stages.run("cut", inputs, compute);
      return { folder, ...stages.reports[0] };
    };
    const first = await once({ m: 5, seed: 0 });
    assertEquals([first.state, first.why], ["run", "never finished before"]);
    assertEquals(await Deno.readTextFile(`${first.folder}/result`), "1");
    const again = await once({ m: 5, seed: 0 });
    assertEquals([again.folder, again.state, runs], [first.folder, "kept", 1]);
    const explained = await once({ m: 6, seed: 0 }, true);
    assertEquals([explained.folder, explained.state, explained.why, runs], [
      null,
      "would run",
      "m changed",
      1,
    ]);
    const other = await once({ m: 6, seed: 0 });
    assertEquals([other.state, other.why], ["run", "m changed"]);
    assertEquals((await once({ m: 6, seed: 1 }, true)).why, "seed changed");
  }));

Deno.test("a stage that failed or was stopped runs again in the same folder", () =>
  inTemporaryFolder(async (dir) => {
    const folders: string[] = [];
    await assertRejects(
      () =>
        openStages(dir).run("cut", { m: 1 }, async (folder) => {
          folders.push(folder);
          await Deno.writeTextFile(`${folder}/part`, "left");
          throw new Error("killed");
        }),
      Error,
      "killed",
    );
    await openStages(dir).run("cut", { m: 1 }, async (folder) => {
      folders.push(folder);
      assertEquals(await Deno.readTextFile(`${folder}/part`), "left");
    });
    assertEquals(folders[1], folders[0]);
  }));

Deno.test("a stage is computed by one of two who want it at once, and the other takes its result", async () => {
  await inTemporaryFolder(async (dir) => {
    let computed = 0;
    const one = openStages(dir), two = openStages(dir);
    const compute = async (folder: string) => {
      computed++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await Deno.writeTextFile(`${folder}/value`, "1");
    };
    const folders = await Promise.all([one, two].map((stages) => stages.run("sum", { of: 3 }, compute)));
    assertEquals([computed, folders[0]], [1, folders[1]]);
    assertEquals([one, two].flatMap(({ reports }) => reports.map(({ state }) => state)).sort(), [
      "kept",
      "run",
    ]);
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), [folders[0]!.split("/").at(-1)]);
  });
});

Deno.test("a stage whose process was killed is free for the next, and its lock is removed", async () => {
  await inTemporaryFolder(async (dir) => {
    const stages = openStages(dir), folder = await stages.folder("sum", {});
    await Deno.writeTextFile(`${folder}.lock`, "");
    await stages.run("sum", {}, () => Promise.resolve());
    assertEquals([...Deno.readDirSync(dir)].length, 1);
  });
});
