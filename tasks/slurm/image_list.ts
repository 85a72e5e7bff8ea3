/** The photographs of a run on Slurm: listed once, with hashes, in files by range, so that a task reads those of its own. */
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { type ImageRange, shardName } from "../../src/data/features/feature_shards.ts";
import type { ListedImage } from "../../src/data/datasets/data_parts.ts";
import type { PlannedData } from "../../src/data/datasets/open_data.ts";
import type { SlurmPlan } from "./plan.ts";

/** Further photographs that are listed: experiments look at the first 100. */
const MAX_FURTHER = 1000;

function pathOf({ folder }: SlurmPlan, range: ImageRange): string {
  return `${folder}/images/${shardName(range).replace(".arrow", ".json")}`;
}

/** Writes the list. @param listed the photographs, and further ones behind them */
export async function writeImageList(plan: SlurmPlan, listed: readonly ListedImage[]): Promise<void> {
  await Deno.mkdir(`${plan.folder}/images`, { recursive: true });
  for (const range of plan.ranges) {
    const own = listed.slice(range.first, range.first + range.count);
    await writeFileAtomic(pathOf(plan, range), JSON.stringify(own));
  }
  const { count } = plan.images!, further = listed.slice(count, count + MAX_FURTHER);
  await writeFileAtomic(`${plan.folder}/images/further.json`, JSON.stringify(further));
}

/**
 * What a task needs of the photographs.
 *
 * @param numbers of the photographs that it looks at, ascending
 * @returns undefined where they are the subject's
 */
export async function plannedData(
  plan: SlurmPlan,
  numbers: readonly number[],
): Promise<PlannedData | undefined> {
  if (!plan.images) return undefined;
  const chosen: PlannedData["chosen"] = [], { length } = numbers;
  let at = 0;
  for (const range of plan.ranges) {
    const end = range.first + range.count;
    if (at === length || numbers[at] >= end) continue;
    const own: ListedImage[] = JSON.parse(await Deno.readTextFile(pathOf(plan, range)));
    for (; at < length && numbers[at] < end; at++) chosen.push([numbers[at], own[numbers[at] - range.first]]);
  }
  const further = length === 0
    ? []
    : JSON.parse(await Deno.readTextFile(`${plan.folder}/images/further.json`));
  return { ...plan.images, chosen, further };
}
