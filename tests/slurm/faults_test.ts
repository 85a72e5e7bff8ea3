import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lookAtNames } from "../../src/data/files/file_look.ts";
import { datasetFolder, syntheticDataset } from "../../src/synthetic/dataset.ts";
import { assertInputs } from "../../tasks/slurm/inputs.ts";
import { readPlan, stepsOf } from "../../tasks/slurm/plan.ts";
import { runState } from "../../tasks/slurm/run_state.ts";
import { AFTER, STEPS } from "../../tasks/slurm/steps.ts";
import { copyFolder } from "../support/copy_folder.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { SMALL } from "./cluster.ts";
import { isInstalled } from "./is_installed.ts";
import { RESULTS, resultsOf, stageFiles } from "./results.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const SLURM = ["sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacctmgr"];

async function deno(args: string[], env: Record<string, string> = {}) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...args],
    env,
    cwd: ROOT,
  }).output();
  return { code, said: new TextDecoder().decode(stderr) };
}

Deno.test({
  name:
    "a task of every stage on a full disk, or killed as it writes, is not done, and once more gives the same bytes",
  ignore: !isInstalled(), // it needs none of Slurm, but as many minutes
  fn: () =>
    inTemporaryFolder(async (dir) => {
      const folder = `${dir}/run`, one = `${dir}/one`, two = `${dir}/two`;
      await syntheticDataset(120);
      for (const cache of [one, two]) await copyFolder(datasetFolder(120), datasetFolder(120, cache));
      // Slurm's commands, which do nothing here: the plan is made, and its tasks are run below.
      await Deno.mkdir(`${dir}/bin`);
      for (const name of SLURM) {
        await Deno.writeTextFile(`${dir}/bin/${name}`, "#!/bin/sh\necho 7\n", { mode: 0o755 });
      }
      const submitted = await deno(
        [
          "tasks/reproduce.ts",
          "--slurm",
          "--array-size",
          "2",
          "--run",
          folder,
          ...SMALL,
          "--cache",
          two,
          "--out",
          `${dir}/two-out`,
        ],
        { PATH: `${dir}/bin:${Deno.env.get("PATH")}` },
      );
      assertEquals(submitted.code, 0, submitted.said);
      const plan = await readPlan(`${folder}/plan.json`);
      assertEquals(stepsOf(plan), [...STEPS]);
      const task = (step: string, index: number, how?: string) =>
        deno(
          [
            ...(how ? ["--preload", "tests/slurm/break_off.ts"] : []),
            "tasks/slurm_step.ts",
            step,
            `${folder}/plan.json`,
            String(index),
          ],
          { RUN_FOLDER: folder, ...(how && { BREAK_OFF: how }) },
        );
      for (const step of STEPS) {
        for (const [how, expected] of [["full", 1], ["killed", 137]] as const) {
          const { code, said } = await task(step, 0, how);
          assertEquals(code, expected, `${step}, ${how}: ${said}`);
          if (how === "full") assertStringIncludes(said, "No space left on device", step);
          const [{ state }] = (await runState(plan, new Map(), lookAtNames()))[step];
          assert(state === "failed" || state === "missing", `${step}, ${how}: ${state}`);
        }
        for (let index = 0; index < plan.tasks[step]; index++) {
          const { code, said } = await task(step, index);
          assertEquals(code, 0, `${step} ${index}: ${said}`);
        }
        for (const later of STEPS.filter((later) => AFTER[later].every((own) => own === step))) {
          await assertInputs(plan, later, []);
        }
      }
      const alone = await deno(["tasks/reproduce.ts", ...SMALL, "--cache", one, "--out", `${dir}/one-out`]);
      assertEquals(alone.code, 0, alone.said);
      assertEquals(await stageFiles(two, RESULTS), await stageFiles(one, RESULTS));
      assertEquals(await resultsOf(`${dir}/two-out`), await resultsOf(`${dir}/one-out`));
    }),
});
