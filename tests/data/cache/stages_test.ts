import { assertEquals, assertRejects } from "@std/assert";
import { openStages } from "../../../src/data/cache/stages.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

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
    assertEquals([again.folder, again.state, runs], [first.folder, "cached", 1]);
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
      "cached",
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

Deno.test("a stage whose files are missing, cut or altered is computed again, and says which", async () => {
  await inTemporaryFolder(async (dir) => {
    let computed = 0;
    const once = async (explain = false) => {
      const stages = openStages(dir, explain);
      const folder = await stages.run("cut", { m: 5 }, async (folder) => {
        computed++;
        await Deno.mkdir(`${folder}/parts`, { recursive: true });
        await Deno.writeTextFile(`${folder}/parts/own`, "has hashes of its own");
        for (const name of ["a.npy", "b.json"]) {
          await Deno.writeTextFile(`${folder}/${name}`, `${name} whole`);
        }
      });
      return { folder, ...stages.reports[0] };
    };
    const folder = (await once()).folder!, whole = await Deno.readFile(`${folder}/a.npy`);
    const harms: [why: string, harm: () => Promise<void>][] = [
      ["a.npy is missing", () => Deno.remove(`${folder}/a.npy`)],
      ["b.json is damaged", () => Deno.truncate(`${folder}/b.json`, 0)],
      ["a.npy is damaged", () => Deno.writeFile(`${folder}/a.npy`, whole.with(3, whole[3] ^ 1))],
      ["a.npy is missing, and 1 more", async () => {
        for (const name of ["a.npy", "b.json"]) await Deno.remove(`${folder}/${name}`);
      }],
      ["never finished before", () => Deno.writeTextFile(`${folder}/finished.json`, '{"m":5}')], // of a version without hashes
    ];
    for (const [why, harm] of harms) {
      await harm();
      assertEquals((await once(true)).why, why);
      const { state, why: told } = await once();
      assertEquals([state, told], ["run", why]);
      assertEquals(await Deno.readFile(`${folder}/a.npy`), whole);
      assertEquals((await once()).state, "cached");
    }
    assertEquals(computed, 1 + harms.length);
    await Deno.remove(`${folder}/parts/own`);
    assertEquals((await once()).state, "cached");
    const stages = openStages(dir);
    await stages.run("cut", { m: 5 }, () => Promise.resolve(), () => {
      return Promise.resolve([{ file: "parts/own", state: "missing" }]);
    });
    assertEquals([stages.reports[0].state, stages.reports[0].why], ["run", "parts/own is missing"]);
  });
});

Deno.test("a broken file is not there for the stage to go on from, a whole one is", async () => {
  await inTemporaryFolder(async (dir) => {
    const seen: string[][] = [];
    const compute = async (folder: string) => {
      seen.push((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort());
      for (const name of ["fit", "vectors"]) await Deno.writeTextFile(`${folder}/${name}`, "whole");
    };
    const folder = (await openStages(dir).run("cut", {}, compute))!;
    await Deno.writeTextFile(`${folder}/fit`, "whOle");
    await openStages(dir).run("cut", {}, compute);
    assertEquals(seen, [[], ["vectors"]]);
  });
});

Deno.test("of many who want a stage that fails again and again, one computes it at a time", async () => {
  await inTemporaryFolder(async (dir) => {
    let now = 0, most = 0, tries = 0;
    const compute = async (folder: string) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now--;
      if (++tries < 6) throw new Error("not yet");
      await Deno.writeTextFile(`${folder}/value`, "1");
    };
    // Some wait for a file that is removed when its holder is done; others come when another is there.
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const all = Array.from({ length: 12 }, async (_, i) => {
      await wait(11 * i);
      return await openStages(dir).run("sum", { of: 3 }, compute).catch(() => null);
    });
    const found = await Promise.all(all);
    assertEquals(most, 1);
    assertEquals(found.filter((folder) => folder === null).length, 5);
  });
});
