import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { readSite } from "../tasks/slurm/site.ts";
import { extractUnits, type SlurmPlan, writePlan } from "../tasks/slurm/plan.ts";
import { arrayOf, isActive } from "../tasks/slurm/queue.ts";
import { runState, writeJobs } from "../tasks/slurm/run_state.ts";
import { batchScript } from "../tasks/slurm/script.ts";
import { assertSameRun, dryRun, submitMissing, withoutSlurm } from "../tasks/slurm/submit.ts";
import { isDone, readNote, resultFiles, type TaskNote, writeNote } from "../tasks/slurm/task_note.ts";
import { writeUsagePage } from "../tasks/slurm/usage_page.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";

function planIn(folder: string): SlurmPlan {
  return {
    ...{ format: 1, args: ["--quick"], typed: ["--slurm", "--quick"], cwd: folder, folder, identity: "a" },
    features: [`${folder}/features-vit-0123456789abcdef`],
    ranges: [{ first: 0, count: 8 }, { first: 8, count: 8 }],
    tasks: {
      ...{ extract: 2, align: 1, landmarks: 0, fit: 1, propagate: 3, map: 1, evaluate: 2, reports: 1 },
    },
    site: { arraySize: 3, attempts: 2, restarts: 1, setup: [], options: {} },
  };
}

const noteOf = (own: Partial<TaskNote>): TaskNote => ({
  ...{ step: "fit", index: 0, state: "running", node: "n1", started: 0, seconds: 1, peakMb: 10, gpuMb: 0 },
  ...own,
});

/** A plan in a folder of its own, with what it needs to be written to. */
async function withPlan(body: (plan: SlurmPlan) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (dir) => {
    const plan = planIn(dir);
    await writePlan(plan);
    await body(plan);
  });
}

Deno.test("withoutSlurm() leaves values alone that are called like options of Slurm", () => {
  const args = ["--out", "run", "--cache", "slurm", "--run", "r", "--resume", "--array-size=3", "--quick"];
  assertEquals(withoutSlurm(args), ["--out", "run", "--cache", "slurm", "--quick"]);
});

Deno.test("readSite() says in one sentence what a setting must be", async () => {
  await inTemporaryFolder(async (dir) => {
    const path = `${dir}/site.json`;
    for (
      const [text, message] of [
        ['{"arraySize": 0}', '"arraySize" is 0, expected a whole number from 1 on.'],
        ['{"attempts": 0}', '"attempts" is 0, expected a whole number from 1 on.'],
        ['{"restarts": 1.5}', '"restarts" is 1.5, expected a whole number from 0 on.'],
        [
          '{"options": null}',
          '"options" is null, expected lists of options as "--mem=8G", by extract, align,',
        ],
        ['{"options": {"fits": []}}', '"options" is {"fits":[]}, expected lists'],
        ['{"options": {"fit": ["a\\nb"]}}', "expected lists"],
        ['{"setup": {}}', '"setup" is {}, expected a list of lines of shell.'],
        ['{"time": "1:00 x"}', '"time" is "1:00 x", expected a text without blanks.'],
        ["null", "is no object: expected settings of partition"],
        ['{"nodes": 3}', 'sets "nodes", expected one of partition'],
      ]
    ) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(() => readSite({ site: path }), Error);
      assertStringIncludes(error.message, message);
      assertStringIncludes(error.message, path);
    }
    const whole = { arraySize: 2, setup: ["module load x"], options: { all: ["--mem=8G"], fit: ["-c 4"] } };
    await Deno.writeTextFile(path, JSON.stringify(whole));
    const site = await readSite({ site: path, time: "2:00:00" });
    assertEquals(site, { ...whole, attempts: 3, restarts: 3, time: "2:00:00" });
  });
  await assertRejects(() => readSite({ partition: "a b" }), RangeError, '--partition is "a b": give a text');
});

Deno.test("dryRun() has partition, account, time, gres, array and dependency", async () => {
  await withPlan((plan) => {
    Object.assign(plan.site, { partition: "gpu", account: "lab", time: "2:00:00", gres: "gpu:1" });
    plan.site.options = { all: ["--mem=8G"], fit: ["--exclusive"] };
    const fit = dryRun(plan, "fit");
    for (
      const line of [
        "# fit: fit=$(sbatch --parsable --array=0 --dependency=afterok:$extract:$align fit.sh)",
        ...["#SBATCH --partition=gpu", "#SBATCH --account=lab", "#SBATCH --time=2:00:00"],
        ...["#SBATCH --gres=gpu:1", "#SBATCH --mem=8G", "#SBATCH --exclusive"],
        ...["#SBATCH --requeue", "#SBATCH --kill-on-invalid-dep=yes"],
      ]
    ) assertStringIncludes(fit, line);
    const propagate = dryRun(plan, "propagate");
    assertStringIncludes(propagate, "--array=0-2 --dependency=afterok:$fit ");
    assert(!propagate.includes("--exclusive"));
    assert(!dryRun(plan, "extract").includes("--gres"));
    return Promise.resolve();
  });
});

Deno.test("batchScript() quotes paths, and refuses those that sbatch would misread", async () => {
  await withPlan((plan) => {
    const script = batchScript({ ...plan, folder: "/a b/(c)", cwd: "/é" }, "fit");
    assertStringIncludes(script, '#SBATCH --output="/a b/(c)/logs"/fit-%a.log');
    assertStringIncludes(script, "fit '/a b/(c)/plan.json'");
    for (const folder of ["/a%b", '/a"b', "/a\\b", "/a\nb"]) {
      assertThrows(() => batchScript({ ...plan, folder }, "fit"), Error, "sbatch cannot be told of /a");
    }
    return Promise.resolve();
  });
});

Deno.test("batchScript() tries a task so often, and gives it up after so many lost nodes", async () => {
  await withPlan(async (plan) => {
    const run = async (restarts: number) => {
      const env = { SLURM_ARRAY_TASK_ID: "0", SLURM_RESTART_COUNT: String(restarts), SLURMD_NODENAME: "n2" };
      const script = batchScript({ ...plan, folder: `${plan.folder}/none` }, "fit");
      const { code, stdout } = await new Deno.Command("sh", { args: ["-c", script], env, stderr: "null" })
        .output();
      return { code, told: new TextDecoder().decode(stdout) };
    };
    const lost = await run(plan.site.restarts);
    assertEquals(lost.code, 1);
    assertEquals(
      lost.told,
      "fit 0: started again on n2, 1 of 1 times\nfit 0: ended with 1, attempt 2 of 2\n",
    );
    assertEquals(await run(plan.site.restarts + 1), {
      code: 1,
      told: "fit 0: given up after its node was lost 1 times.\n",
    });
  });
});

Deno.test("a note of a task that is done outlives those of its duplicates", async () => {
  await withPlan(async (plan) => {
    await writeNote(plan, noteOf({ state: "running" }));
    await writeNote(plan, noteOf({ state: "done", node: "n2" }));
    await writeNote(plan, noteOf({ state: "running" }));
    await writeNote(plan, noteOf({ state: "failed", error: "No." }));
    assertEquals(await readNote(plan, "fit", 0), noteOf({ state: "done", node: "n2" }));
  });
});

Deno.test("isDone() looks at the result, not only at the note", async () => {
  await withPlan(async (plan) => {
    const path = `${plan.folder}/fit.arrow`;
    await Deno.writeTextFile(path, "whole");
    const note = noteOf({ state: "done", files: await resultFiles([path]) });
    assertEquals(await isDone(plan, note), true);
    await Deno.writeTextFile(path, "cut");
    assertEquals(await isDone(plan, note), false);
    await Deno.remove(path);
    assertEquals(await isDone(plan, note), false);
    for (const step of ["extract", "landmarks", "propagate"] as const) {
      assertEquals(await isDone(plan, noteOf({ state: "done", step, folder: plan.folder })), false, step);
    }
  });
});

Deno.test("runState() finds tasks that ended before they could note it, and asks nothing of a queue that is silent", async () => {
  await withPlan(async (plan) => {
    await writeJobs(plan, { fit: [{ id: "7", tasks: [0] }], propagate: [{ id: "8", tasks: [0, 1, 2] }] });
    const statesOf = async (queue: Map<string, string> | null) => {
      const { extract, fit, propagate } = await runState(plan, queue);
      return [extract[0], fit[0], ...propagate].map(({ state }) => state).join(" ");
    };
    const waiting = new Map([0, 1, 2].map((task) => [`8_${task}`, "PENDING"]));
    assertEquals(await statesOf(waiting), "missing missing waiting waiting waiting");
    await Deno.writeTextFile(`${plan.folder}/logs/fit-0.log`, "deno: not found\n");
    assertEquals(await statesOf(waiting), "missing failed waiting waiting waiting");
    await writeNote(plan, noteOf({ step: "propagate", index: 1 }));
    assertEquals(await statesOf(null), "missing waiting waiting running waiting");
    const lost = await runState(plan, new Map([["8_1", "OUT_OF_MEMORY"], ["8_2", "COMPLETING"]]));
    const found = lost.propagate.map(({ state, ended }) => [state, ended]);
    assertEquals(found, [["missing", undefined], ["failed", "OUT_OF_MEMORY"], ["running", undefined]]);
    await writeJobs(plan, { fit: [{ id: "7", tasks: [0] }, { id: "9", tasks: [0] }] });
    const again = await runState(plan, new Map([["7_0", "NODE_FAIL"], ["9_0", "TIMEOUT"]]));
    assertEquals(again.fit[0].ended, "TIMEOUT");
  });
});

Deno.test("arrayOf() names the tasks asked for and none between", () => {
  assertEquals(arrayOf([0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
  assertEquals(arrayOf([3]), "3");
});

Deno.test("isActive() knows what is over", () => {
  assertEquals(["PENDING", "RUNNING", "CONFIGURING", "SUSPENDED"].map(isActive), [true, true, true, true]);
  assertEquals(["COMPLETED", "TIMEOUT", undefined].map(isActive), [false, false, false]);
});

Deno.test("submitMissing() submits once more what waits for a stage that has failed in part", async () => {
  await withPlan(async (plan) => {
    const files = await resultFiles([`${plan.folder}/plan.json`]);
    for (const step of ["align", "fit"] as const) {
      await writeNote(plan, noteOf({ step, state: "done", files }));
    }
    await writeNote(plan, noteOf({ step: "propagate", index: 0, state: "failed", error: "No." }));
    await writeJobs(plan, {
      propagate: [{ id: "3", tasks: [0, 1, 2] }],
      map: [{ id: "4", tasks: [0] }],
      evaluate: [{ id: "5", tasks: [0, 1] }],
      reports: [{ id: "6", tasks: [0] }],
    });
    // Its features are not looked at: they are another stage's.
    plan.tasks.extract = 0;
    const queue = new Map([["3_0", "FAILED"], ["3_1", "RUNNING"], ["3_2", "PENDING"]]);
    for (const id of ["4_0", "5_0", "5_1", "6_0"]) queue.set(id, "PENDING");
    const submitted: string[] = [], cancelled: string[] = [];
    const told = await submitMissing(plan, queue, {
      submit(_, args) {
        submitted.push(args.join(" "));
        return Promise.resolve(String(10 + submitted.length));
      },
      cancel: (tasks) => Promise.resolve(void cancelled.push(...tasks)),
    });
    assertEquals(told.map((line) => line.split(" ")[0]), ["propagate", "map", "evaluate", "reports"]);
    assertEquals(cancelled, ["4_0", "5_0", "5_1", "6_0"]);
    assertEquals(submitted, [
      "--array=0",
      "--array=0 --dependency=afterok:3_1:3_2:11",
      "--array=0-1 --dependency=afterok:12",
      "--array=0 --dependency=afterok:13",
    ]);
    assertEquals(await readNote(plan, "propagate", 0), null);
  });
});

Deno.test("assertSameRun() names what differs from the run that is to go on", () => {
  const plan = planIn("/run");
  assertSameRun(plan, planIn("/run"));
  assertThrows(
    () => assertSameRun(plan, { ...plan, args: ["--limit", "9"] }),
    Error,
    "The run /run was submitted with --quick, not with --limit 9: give the same with --resume",
  );
  assertThrows(
    () => assertSameRun(plan, { ...plan, identity: "b" }),
    Error,
    "The run /run was submitted with other photographs, models or --cache:",
  );
});

Deno.test("the page of a run's usage has a row for every shard", async () => {
  await withPlan(async (plan) => {
    for (const index of [0, 1]) {
      const shards = extractUnits(plan, index).map((unit) => ({
        ...unit,
        seconds: 2,
        peakMb: 321,
        gpuMb: 0,
      }));
      await writeNote(plan, noteOf({ step: "extract", index, state: "done", shards }));
    }
    const page = await Deno.readTextFile(await writeUsagePage(plan, plan.folder));
    assertStringIncludes(page, "Shards of features");
    assertEquals(page.match(/<th scope="row"[^>]*>vit</g)?.length, 2);
    assertEquals(page.match(/321/g)?.length, 2);
  });
});
