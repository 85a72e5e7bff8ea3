/** All works by name. */
import type { OpenOwnWork } from "./work.ts";
import type { WorkPlan } from "./work_plan.ts";
import * as alignEpoch from "./works/align_epoch.ts";
import * as cut from "./works/cut.ts";
import * as extraction from "./works/extraction.ts";
import * as matmul from "./works/matmul.ts";
import * as nystrom from "./works/nystrom.ts";
import * as paperAlign from "./works/paper_align.ts";
import * as paperJob from "./works/paper_job.ts";
import * as ridge from "./works/ridge.ts";
import * as tsne from "./works/tsne.ts";

const MODULES: { plans: WorkPlan[]; open: OpenOwnWork }[] = [
  matmul,
  cut,
  tsne,
  nystrom,
  alignEpoch,
  extraction,
  ridge,
  paperJob,
  paperAlign,
];

/** In the order of the report. */
export const WORKS: readonly WorkPlan[] = MODULES.flatMap(({ plans }) => plans);

/**
 * A work by its name.
 *
 * @throws RangeError 'There is no work "cut": choose among …'
 */
export function planOf(name: string): WorkPlan {
  const found = WORKS.find((plan) => plan.name === name);
  if (found) return found;
  throw new RangeError(
    `There is no work "${name}": choose among ${WORKS.map(({ name }) => name).join(", ")}.`,
  );
}

/** Opens a work of ours. */
export function openOf(plan: WorkPlan): OpenOwnWork {
  return MODULES.find(({ plans }) => plans.includes(plan))!.open;
}

/**
 * The works that `--only` names: by name, or all whose names begin with it and a hyphen, as "matmul". Without names all
 * that run on this kind of adapter unasked.
 *
 * @throws RangeError as `planOf`
 */
export function chosenWorks(only: string | undefined, software: boolean): WorkPlan[] {
  if (only === undefined) {
    return WORKS.filter(({ onlyWhenNamed }) =>
      onlyWhenNamed === undefined || (onlyWhenNamed === "software" && !software)
    );
  }
  return only.split(",").flatMap((name) => {
    const family = WORKS.filter((plan) => plan.name.startsWith(`${name}-`));
    return WORKS.some((plan) => plan.name === name) || family.length === 0 ? [planOf(name)] : family;
  });
}
