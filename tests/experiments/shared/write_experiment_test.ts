import { assert, assertEquals } from "@std/assert";
import { writeIndexPage } from "../../../src/experiments/shared/index_page.ts";
import { writeReport } from "../../../src/experiments/shared/write_experiment.ts";
import { readResults } from "../../../src/report/results.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

Deno.test("writeReport() and writeIndexPage() of runs that end at once in one folder lose nobody's numbers, pages or cards", () =>
  inTemporaryFolder(async (out) => {
    const names = Array.from({ length: 5 }, (_, i) => `page${i}`);
    await Promise.all(names.map(async (name, seed) => {
      const run = { out, command: `./run ${name}`, timings: {}, seed };
      const page = await writeReport(
        run,
        name,
        { models: [], images: 1, nodes: 1, data: "synthetic" },
        { metrics: { seed }, claims: [] },
        { title: name, question: "?", method: "m", sections: [{ heading: "h", body: [] }], settings: {} },
      );
      await writeIndexPage(out, { [name]: page }, run.command);
    }));
    const { experiments } = (await readResults(`${out}/results.json`))!;
    assertEquals(
      Object.entries(experiments).map(([name, { seed, metrics }]) => [name, seed, metrics.seed]),
      names.map((name, seed) => [name, seed, seed]),
    );
    const index = await Deno.readTextFile(`${out}/index.html`);
    for (const name of names) assert(index.includes(`href="${name}.html"`), `no card of ${name}`);
    const files = (await Array.fromAsync(Deno.readDir(out))).map(({ name }) => name).sort();
    assertEquals(files, ["index.html", ...names.map((name) => `${name}.html`), "results.json"]);
  }));
