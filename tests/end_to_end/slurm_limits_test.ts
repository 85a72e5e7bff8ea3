import { assertEquals, assertRejects } from "@std/assert";
import type { SlurmPlan } from "../../tasks/slurm/plan.ts";
import { type Ask, assertWithinLimits, readLimits } from "../../tasks/slurm/limits.ts";
import { minutesOf } from "../../tasks/slurm/minutes.ts";
import { withPlan } from "../support/slurm_plans.ts";

/** Answers of a cluster of one partition, one association and one QOS. */
function cluster(more: { partition?: string; nodes?: string; assoc?: string; config?: string } = {}): Ask {
  const answers: Record<string, string | undefined> = {
    "scontrol config": more.config ??
      "Configuration data as of 2026\nMaxArraySize            = 1001\nMaxJobCount             = 10000\n",
    "scontrol partition": "PartitionName=test AllowGroups=ALL Default=YES QoS=N/A DefaultTime=NONE " +
      `MaxTime=${more.partition ?? "1-00:00:00 State=UP"} TotalNodes=3`,
    sinfo: more.nodes ?? "test idle 2\ntest down* 1",
    "sacctmgr assoc": more.assoc,
    "sacctmgr qos": more.assoc && "normal|\nbig|500",
  };
  return (command, args) =>
    Promise.resolve(
      answers[[command, ...args].join(" ")] ??
        answers[`${command} ${args.find((arg) => /^(?:config|partition|assoc|qos)$/.test(arg))}`] ??
        (command === "sinfo" ? answers.sinfo! : null),
    );
}

Deno.test("assertWithinLimits() refuses what the cluster would refuse or never start, before anything is queued", async () => {
  await withPlan(async (plan) => {
    const check = async (own: Partial<SlurmPlan["site"]>, ask: Ask = cluster(), queued = 0, tasks = 3) =>
      assertWithinLimits(
        { ...plan, site: { ...plan.site, ...own }, tasks: { ...plan.tasks, propagate: tasks } },
        await readLimits(ask, "me"),
        queued,
      );
    assertEquals(await check({}), []);
    assertEquals(await check({ time: "24:00:00", partition: "test" }, cluster(), 0, 1001), []);
    const down = cluster({ partition: "UNLIMITED State=DOWN", nodes: "test idle 3" });
    assertEquals(await check({ time: "9-0" }, down), [
      "Partition test is down: its tasks will wait until it is up again.",
    ]);
    assertEquals(
      (await check({}, cluster({ nodes: "test down* 2\ntest drain 1" })))[0].slice(0, 39),
      "No node of partition test can work now:",
    );
    assertEquals(await check({}, () => Promise.resolve(null), 9e9, 9e9), [], "a cluster that tells nothing");
    assertEquals(
      await check({}, cluster({ assoc: "5|normal\n|normal" }), 20),
      [],
      "one association has no limit",
    );
    const refused: [() => Promise<unknown>, string][] = [
      [
        () => check({ arraySize: 2000 }, cluster(), 0, 2000),
        "--array-size 2000 gives propagate 2000 tasks, and this cluster takes 1001 an array (MaxArraySize): give --array-size 1001 or less.",
      ],
      [
        () => check({}, cluster(), 9999),
        "The run has 14 tasks and 9999 are in the queue, but only 10000 are allowed (MaxSubmitJobs or MaxJobCount)",
      ],
      [
        () => check({}, cluster({ assoc: "10|normal" })),
        "The run has 14 tasks and 0 are in the queue, but only 10 are allowed",
      ],
      [() => check({}, cluster({ assoc: "|big" }), 490), "but only 500 are allowed"],
      [
        () => check({ time: "1-00:01" }),
        "--time is 1-00:01, above the 1440 minutes of partition test (MaxTime): give less.",
      ],
      [() => check({ partition: "gpu" }), "There is no partition gpu: --partition takes test."],
      [
        () => check({}, cluster({ partition: "5 State=INACTIVE" })),
        "Partition test takes no jobs now (its state is INACTIVE)",
      ],
    ];
    for (const [checked, message] of refused) await assertRejects(checked, RangeError, message);
  });
});

Deno.test("minutesOf() reads times as sbatch does", () => {
  const times = ["90", "90:30", "1:30:00", "2-12", "2-12:30", "1-00:00:30", "UNLIMITED", "", "1h", "1:2:3:4"];
  assertEquals(times.map(minutesOf), [90, 90.5, 90, 3600, 3630, 1440.5, Infinity, null, null, null]);
});
