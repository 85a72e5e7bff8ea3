/** What `status`, `--resume` and the page of a run on Slurm do with many tasks and files. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { shardName } from "../../src/data/features/feature_shards.ts";
import { type FileLook, lookAtNames, lookAtSizes } from "../../src/data/files/file_look.ts";
import { extractUnits } from "../../tasks/slurm/plan.ts";
import { runState } from "../../tasks/slurm/run_state.ts";
import { STEPS } from "../../tasks/slurm/steps.ts";
import { writeNote } from "../../tasks/slurm/task_note.ts";
import { writeUsagePage } from "../../tasks/slurm/usage_page.ts";
import { writeFakeRun } from "../slurm/fake_run.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { noteOf, withPlan } from "../support/slurm_plans.ts";

Deno.test("runState() finds by names what it finds by sizes, and a file that is cut by sizes alone", () =>
  inTemporaryFolder(async (dir) => {
    const { plan } = await writeFakeRun(dir, 300, 7);
    const missing = async (look: FileLook) => {
      const states = await runState(plan, new Map(), look);
      return STEPS.flatMap((step) =>
        states[step].flatMap(({ index, state }) => state === "done" ? [] : [`${step} ${index} ${state}`])
      ).join(", ");
    };
    const both = async () => [await missing(lookAtNames()), await missing(lookAtSizes())];
    const last = "reports 0 missing",
      some = ["extract 6 missing", "propagate 6 missing", "colors 6 missing", last];
    assertEquals(await both(), [some.join(", "), some.join(", ")]);
    const [{ model, range }] = extractUnits(plan, 2),
      shard = `${plan.features[model]}/a.L07/${shardName(range)}`;
    await Deno.writeTextFile(shard, "");
    const [names, sizes] = await both();
    assertEquals(names, some.join(", "));
    assertStringIncludes(sizes, "extract 2 missing, extract 6 missing");
    await Deno.remove(shard);
    await Deno.remove(`${dir}/colors/colors/model=b/layer=3/${shardName(plan.ranges[4])}`);
    const lost = await both();
    assertEquals(lost[0], lost[1]);
    assertEquals(lost[0].match(/missing/g)?.length, 6, lost[0]);
  }));

Deno.test("the page of a run's usage sums by stage, node and model, and names failures, in few rows however many tasks", async () => {
  await withPlan(async (plan) => {
    plan.tasks.extract = 600;
    plan.ranges = Array.from({ length: 1200 }, (_, at) => ({ first: 8 * at, count: 8 }));
    for (let index = 0; index < 600; index++) {
      const shards = extractUnits(plan, index).map((unit) => ({
        ...unit,
        seconds: 2,
        peakMb: 321,
        gpuMb: 0,
      }));
      const own = index < 250
        ? noteOf({ step: "extract", index, state: "failed", error: `No <b>${index}</b>.` })
        : noteOf({ step: "extract", index, state: "done", node: `n${index % 300}`, seconds: index, shards });
      await writeNote(plan, own);
    }
    const page = await Deno.readTextFile(await writeUsagePage(plan, plan.folder));
    const rows = page.match(/<th scope="row"[^>]*>/g)!.length;
    assertEquals(rows, 1 + 100 + 20 + 1 + 100);
    assertStringIncludes(page, "Tasks that have failed and are not done: the first 100 of 250");
    assertStringIncludes(page, "No &lt;b&gt;7&lt;/b&gt;.");
    assertStringIncludes(page, "The same by node: the first 100 of 300");
    assert(/<th scope="row"[^>]*>vit<\/th>\s*<td[^>]*>700</.test(page), "shards of the model");
    assert(/<th scope="row"[^>]*>extract 599</.test(page), "the longest task");
  });
});
