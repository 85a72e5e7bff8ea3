/** What a stage on Slurm needs of those before it. */
import type { SlurmPlan } from "./plan.ts";
import { lookAtNames } from "../../src/data/files/file_look.ts";
import { openResults, readNote } from "./task_note.ts";
import { AFTER, type Step, STEPS } from "./steps.ts";

/** Seconds between looks: what another node has written may be seen late through a network's file system. */
const WAITS = [2, 8, 20];

/** The stages that must have finished before one, directly or not, in their order. */
export function stagesBefore(step: Step): Step[] {
  const found = new Set<Step>(),
    visit = (of: Step) => {
      for (const earlier of AFTER[of]) {
        found.add(earlier);
        visit(earlier);
      }
    };
  visit(step);
  return STEPS.filter((earlier) => found.has(earlier));
}

/**
 * Refuses to run a stage on what is not there: every task of the stages before it must have noted that it is done, and its
 * result must be there by its manifest and the names of its files. Slurm itself takes a job that has failed for one that succeeded once it has
 * forgotten it (`afterok` after MinJobAge).
 *
 * @param waits seconds between looks, while something is missing
 * @throws Error "fit cannot run: of extract, 2 of 24 tasks (3, 7) have no result; submit what is missing with --resume."
 */
export async function assertInputs(
  plan: SlurmPlan,
  step: Step,
  waits: readonly number[] = WAITS,
): Promise<void> {
  for (let look = 0;; look++) {
    const missing = missingBefore(plan, step);
    if (missing.length === 0) return;
    if (look === waits.length) {
      throw new Error(
        `${step} cannot run: ${missing.join("; ")}; submit what is missing with --resume.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 * waits[look]));
  }
}

/** A clause for every stage that has not finished. */
function missingBefore(plan: SlurmPlan, step: Step): string[] {
  const clauses: string[] = [], isDone = openResults(plan, lookAtNames());
  for (const earlier of stagesBefore(step)) {
    const count = plan.tasks[earlier], tasks = Array.from({ length: count }, (_, index) => index);
    const absent = tasks.filter((index) => !isDone(readNote(plan, earlier, index)));
    if (absent.length === 0) continue;
    const shown = absent.slice(0, 5).join(", ") + (absent.length > 5 ? ", …" : "");
    clauses.push(
      `of ${earlier}, ${absent.length} of ${count} ${count === 1 ? "task" : "tasks"} (${shown}) ` +
        `${absent.length === 1 ? "has" : "have"} no result`,
    );
  }
  return clauses;
}
