import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { readSite } from "../../tasks/slurm/site.ts";
import { extractUnits } from "../../tasks/slurm/plan.ts";
import { assertInputs, stagesBefore } from "../../tasks/slurm/inputs.ts";
import { arrayOf, isActive } from "../../tasks/slurm/queue.ts";
import { forgetSteps, readJobs, runState, writeJobs } from "../../tasks/slurm/run_state.ts";
import { batchScript } from "../../tasks/slurm/script.ts";
import { assertSameRun, dryRun, submitMissing, withoutSlurm } from "../../tasks/slurm/submit.ts";
import { openResults, readNote, resultFiles, writeNote } from "../../tasks/slurm/task_note.ts";
import { shardName } from "../../src/data/features/feature_shards.ts";
import { lookAtSizes } from "../../src/data/files/file_look.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { STEPS } from "../../tasks/slurm/steps.ts";
import { manifestWith, noteOf, planIn, withPlan } from "../support/slurm_plans.ts";

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
        ['{"options": {"fits": []}}', '"options.fits" is not known, expected extract, align,'],
        ['{"options": {"fit": ["a\\nb"]}}', '"options.fit.0" is "a\\nb", expected an option as "--mem=8G".'],
        ["[]", "it is [], expected settings of partition"],
        ['{"setup": {}}', '"setup" is {}, expected a list of lines of shell.'],
        ['{"time": "1:00 x"}', '"time" is "1:00 x", expected minutes, hours:minutes:seconds'],
        ["null", "it is null, expected settings of partition"],
        ['{"nodes": 3}', '"nodes" is not known, expected partition, account'],
      ]
    ) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(() => readSite({ "slurm-config": path }), Error);
      assertStringIncludes(error.message, message);
      assertStringIncludes(error.message, path);
    }
    const whole = { arraySize: 2, setup: ["module load x"], options: { all: ["--mem=8G"], fit: ["-c 4"] } };
    await Deno.writeTextFile(path, JSON.stringify(whole));
    const site = await readSite({ "slurm-config": path, time: "2:00:00" });
    assertEquals(site, { ...whole, attempts: 3, restarts: 3, time: "2:00:00" });
  });
  await assertRejects(
    () => readSite({ time: "soon" }),
    RangeError,
    '--time is "soon": give minutes, hours:minutes:seconds or days-hours:minutes:seconds, as of sbatch.',
  );
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
        "#SBATCH --partition=gpu",
        "#SBATCH --account=lab",
        "#SBATCH --time=2:00:00",
        "#SBATCH --gres=gpu:1",
        "#SBATCH --mem=8G",
        "#SBATCH --exclusive",
        "#SBATCH --requeue",
        "#SBATCH --kill-on-invalid-dep=yes",
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
    assertStringIncludes(script, '#SBATCH --output="/a b/(c)/logs"/fit/%a.log');
    assertStringIncludes(script, "fit '/a b/(c)/plan.json'");
    for (const folder of ["/a%b", '/a"b', "/a\\b", "/a\nb"]) {
      assertThrows(() => batchScript({ ...plan, folder }, "fit"), Error, "sbatch cannot take /a");
    }
    return Promise.resolve();
  });
});

Deno.test("batchScript() tries a task N times, and gives it up after a number of lost nodes", async () => {
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
    assertEquals(readNote(plan, "fit", 0), noteOf({ state: "done", node: "n2" }));
  });
});

Deno.test("openResults() look at the result, not only at the note", async () => {
  await withPlan(async (plan) => {
    const path = `${plan.folder}/fit.arrow`;
    await Deno.writeTextFile(path, "whole");
    const note = noteOf({ state: "done", files: await resultFiles([path]) });
    const isDone = openResults(plan, lookAtSizes());
    assertEquals(isDone(note), true);
    await Deno.writeTextFile(path, "cut");
    assertEquals(isDone(note), false);
    await Deno.remove(path);
    assertEquals(isDone(note), false);
    for (const step of ["extract", "landmarks", "propagate"] as const) {
      assertEquals(isDone(noteOf({ state: "done", step, folder: plan.folder })), false, step);
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
    await Deno.writeTextFile(`${plan.folder}/logs/fit/0.log`, "deno: not found\n");
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
      colors: [{ id: "7", tasks: [0, 1, 2] }],
      evaluate: [{ id: "5", tasks: [0, 1] }],
      reports: [{ id: "6", tasks: [0] }],
    });
    // Its features are not looked at: they are another stage's.
    plan.tasks.extract = 0;
    const queue = new Map([["3_0", "FAILED"], ["3_1", "RUNNING"], ["3_2", "PENDING"]]);
    for (const id of ["4_0", "7_0", "7_1", "7_2", "5_0", "5_1", "6_0"]) queue.set(id, "PENDING");
    const submitted: string[] = [], cancelled: string[] = [];
    const told = await submitMissing(plan, queue, {
      submit(_, args) {
        submitted.push(args.join(" "));
        return Promise.resolve(String(10 + submitted.length));
      },
      cancel: (tasks) => Promise.resolve(void cancelled.push(...tasks)),
      withdraw: () => Promise.reject(new Error("nothing was refused")),
    });
    assertEquals(told.map((line) => line.split(" ")[0]), [
      "propagate",
      "map",
      "colors",
      "evaluate",
      "reports",
    ]);
    assertEquals(cancelled, ["4_0", "7_0", "7_1", "7_2", "5_0", "5_1", "6_0"]);
    assertEquals(submitted, [
      "--array=0",
      "--array=0 --dependency=afterok:3_1:3_2:11",
      "--array=0-2 --dependency=afterok:12",
      "--array=0-1 --dependency=afterok:13",
      "--array=0 --dependency=afterok:14",
    ]);
    assertEquals(readNote(plan, "propagate", 0), null);
  });
});

Deno.test("submitMissing() takes back what it has submitted where Slurm refuses a later stage", async () => {
  await withPlan(async (plan) => {
    const submitted: string[] = [], withdrawn: string[] = [];
    const refuse = (withdraw: (jobs: string[]) => Promise<void>) =>
      assertRejects(
        () =>
          submitMissing(plan, new Map(), {
            submit(script) {
              if (/alignedcut-propagate/.test(script)) {
                throw new Error("sbatch says: Invalid job array specification");
              }
              submitted.push(/job-name=alignedcut-(\w+)/.exec(script)![1]);
              return Promise.resolve(String(submitted.length));
            },
            cancel: () => Promise.resolve(),
            withdraw,
          }),
        Error,
      );
    const refused = await refuse((jobs) => Promise.resolve(void withdrawn.push(...jobs)));
    assertEquals(
      refused.message,
      "Slurm refuses propagate: sbatch says: Invalid job array specification; extract, align, fit were taken back, " +
        "nothing of it is in the queue.",
    );
    assertEquals([submitted, withdrawn], [["extract", "align", "fit"], ["1", "2", "3"]]);
    assertEquals(Object.values(await readJobs(plan)).flat(), []);
    const stuck = await refuse(() => Promise.reject(new Error("scancel says: timed out")));
    assertStringIncludes(
      stuck.message,
      "extract, align, fit stay in the queue (scancel says: timed out): type scancel 4 5 6.",
    );
  });
});
Deno.test("assertInputs() refuses every stage, each as long as any task of a stage before it has no result", async () => {
  await withPlan(async (plan) => {
    Object.assign(plan.tasks, { landmarks: 2, affinities: 3, products: 3 });
    const folder = `${plan.folder}/eigenvectors`, whole: Record<string, { path: string; text: string }> = {};
    const write = async (path: string, text: string) => {
      await Deno.mkdir(path.replace(/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(path, text);
    };
    /** The file by which each stage's first task has a result. */
    const results = async () => {
      for (const index of [0, 1]) {
        const [{ range }] = extractUnits(plan, index), name = shardName(range);
        const shard = `${plan.features[0]}/vit.L01/${name}`,
          part = `${plan.features[0]}/parts/${name.replace(".arrow", ".json")}`;
        await write(shard, "shard");
        const text = JSON.stringify(manifestWith({ path: shard, bytes: 5 }));
        await write(part, text);
        if (index === 0) whole.extract = { path: part, text };
      }
      for (const step of ["landmarks", "affinities", "products", "propagate", "colors"] as const) {
        for (let index = 0; index < plan.tasks[step]; index++) {
          const path = `${folder}/parts/${step}/${index}.npy`;
          await write(path, step);
          if (index === 0) whole[step] = { path, text: step };
        }
      }
      for (const step of ["align", "fit", "map", "evaluate"] as const) {
        whole[step] = { path: `${plan.folder}/${step}.result`, text: step };
        await write(whole[step].path, step);
      }
      for (const step of STEPS) {
        const files = ["align", "fit", "map", "evaluate"].includes(step)
          ? await resultFiles([whole[step].path])
          : undefined;
        for (let index = 0; index < plan.tasks[step]; index++) {
          const parts = { [`parts/${step}`]: { [`${index}.npy`]: step.length } };
          await writeNote(plan, noteOf({ step, index, state: "done", folder, files, parts }));
        }
      }
    };
    await results();
    assertEquals(stagesBefore("reports"), STEPS.slice(0, -1));
    assertEquals([stagesBefore("extract"), stagesBefore("affinities")], [[], [
      "extract",
      "align",
      "landmarks",
    ]]);
    for (const step of STEPS) {
      await assertInputs(plan, step, []);
      for (const earlier of stagesBefore(step)) {
        const { path, text } = whole[earlier];
        await Deno.remove(path);
        await assertRejects(
          () => assertInputs(plan, step, []),
          Error,
          // The tasks of evaluate share a file here.
          earlier === "evaluate"
            ? `${step} cannot run: of evaluate, 2 of 2 tasks (0, 1) have no result; submit what is missing`
            : `${step} cannot run: of ${earlier}, 1 of ${plan.tasks[earlier]} task`,
        );
        await write(path, text);
      }
    }
    // What another node has written may be seen a little later.
    await Deno.remove(whole.fit.path);
    setTimeout(() => write(whole.fit.path, "fit"), 30);
    await assertInputs(plan, "map", [0.02, 0.2, 1, 10, 60]);
  });
});

Deno.test("forgetSteps() makes stages as if they had never been submitted, and leaves the others", async () => {
  await withPlan(async (plan) => {
    await writeJobs(plan, { fit: [{ id: "1", tasks: [0] }], propagate: [{ id: "2", tasks: [0, 1, 2] }] });
    for (const index of [0, 2]) await writeNote(plan, noteOf({ step: "propagate", index, state: "done" }));
    await writeNote(plan, noteOf({ state: "done" }));
    await forgetSteps(plan, ["propagate"]);
    assertEquals(await readJobs(plan), { fit: [{ id: "1", tasks: [0] }] });
    assertEquals([readNote(plan, "propagate", 0), readNote(plan, "propagate", 2)], [null, null]);
    assertEquals(readNote(plan, "fit", 0)?.state, "done");
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
