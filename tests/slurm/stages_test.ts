import { assert, assertEquals } from "@std/assert";
import { STEPS } from "../../tasks/slurm/steps.ts";
import {
  copyDataset,
  finished,
  killTasks,
  letGo,
  logOf,
  logs,
  markDown,
  restartController,
  restartNode,
  slurmLog,
  SMALL,
  task,
  until,
  withSlurm,
} from "./cluster.ts";
import { isInstalled } from "./is_installed.ts";
import { RESULTS, resultsOf, stageFiles } from "./results.ts";

Deno.test({
  name: "a node is lost and the controller restarted at every stage, and the results are one machine's",
  ignore: !isInstalled(),
  fn: () =>
    withSlurm(async (cluster) => {
      const { dir, env } = cluster, [one, two] = ["one", "two"].map((name) => `${dir}/${name}`);
      for (const cache of [one, two]) await copyDataset(cache);
      await task("reproduce", [...SMALL, "--cache", one, "--out", `${dir}/one-out`]);
      const folder = `${dir}/run`, where = ["--run", folder, "--cache", two, "--out", `${dir}/two-out`];
      await task("reproduce", ["--slurm", "--array-size", "2", ...where, ...SMALL], env);
      for (const step of STEPS) {
        const running = await until(`a task of ${step} runs`, 900, async () => {
          const lines = await letGo(cluster);
          return lines.find((line) => line.includes(` alignedcut-${step} RUNNING`)) ?? null;
        });
        const node = running.split(" ").at(-1)!;
        await killTasks(cluster, node, "lost");
        await markDown(cluster, node);
        await restartController(cluster);
        await restartNode(cluster, node);
      }
      await finished(cluster, 600);
      const told = await task("status", ["--run", folder], env);
      assert(/reports +1 +1 /.test(told), `${told}\n${await logs(folder)}\n${await slurmLog(cluster)}`);
      for (const step of STEPS) {
        const own = await Promise.all(
          [0, 1].map((index) => logOf(folder, `${step}/${index}`).catch(() => "")),
        );
        assert(/started again on n/.test(own.join("")), `${step} was not started again: ${own}`);
      }
      assertEquals(await stageFiles(two, RESULTS), await stageFiles(one, RESULTS));
      assertEquals(await resultsOf(`${dir}/two-out`), await resultsOf(`${dir}/one-out`));
    }),
});
