/** The batch script of a stage. */
import { shellLine } from "../../src/report/shell_line.ts";
import type { SlurmPlan } from "./plan.ts";
import type { Step } from "./steps.ts";

const WORKER = new URL("../slurm_step.ts", import.meta.url).pathname;
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];

/**
 * The script that `sbatch` is given for a stage. A task that fails is tried again in its place; a node that is lost gives
 * its tasks to another one (`--requeue`); both so often, then the task is named and fails.
 *
 * @throws Error where the run's folder has a name that sbatch would not understand
 */
export function batchScript({ folder, cwd, site }: SlurmPlan, step: Step): string {
  const { partition, account, time, gres, setup, options, attempts, restarts } = site;
  const lines = [
    `--job-name=alignedcut-${step}`,
    `--output=${directive(`${folder}/logs`)}/${step}/%a.log`,
    "--open-mode=append",
    `--chdir=${directive(cwd)}`,
    "--requeue",
    "--kill-on-invalid-dep=yes",
    ...(partition ? [`--partition=${partition}`] : []),
    ...(account ? [`--account=${account}`] : []),
    ...(time ? [`--time=${time}`] : []),
    ...(gres && step !== "extract" ? [`--gres=${gres}`] : []),
    ...(options.all ?? []),
    ...(options[step] ?? []),
  ];
  const command = [Deno.execPath(), "run", ...PERMISSIONS, WORKER, step, `${folder}/plan.json`];
  return `#!/bin/sh
${lines.map((line) => `#SBATCH ${line}`).join("\n")}
${setup.map((line) => `${line}\n`).join("")}task=\${SLURM_ARRAY_TASK_ID:-0}
if [ "\${SLURM_RESTART_COUNT:-0}" -gt ${restarts} ]; then
  echo "${step} $task: given up after its node was lost ${restarts} times."
  exit 1
elif [ "\${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  echo "${step} $task: started again on \${SLURMD_NODENAME:-another node}, \$SLURM_RESTART_COUNT of ${restarts} times"
fi
attempt=1
while :; do
  ${shellLine(command)} "$task" && exit 0
  code=$?
  if [ "$attempt" -ge ${attempts} ]; then exit "$code"; fi
  attempt=$((attempt + 1))
  echo "${step} $task: ended with $code, attempt $attempt of ${attempts}"
done
`;
}

/** A path in a `#SBATCH` line, where a percent sign begins what Slurm fills in. */
function directive(path: string): string {
  if (!/[\n"\\%]/.test(path)) return /^[\w@+=:,./-]+$/.test(path) ? path : `"${path}"`;
  throw new Error(
    `sbatch cannot take ${path}: choose a folder without double quotes, backslashes and "%" in its name.`,
  );
}
