/** What a cluster allows, asked before anything is queued. */
import { type SlurmPlan, stepsOf } from "./plan.ts";
import { minutesOf } from "./minutes.ts";

/** Asks Slurm; null where it has no answer. */
export type Ask = (command: string, args: string[]) => Promise<string | null>;

/** A partition. */
export interface Partition {
  name: string;
  isDefault: boolean;
  /** UP, DOWN, DRAIN or INACTIVE. */
  state: string;
  /** Longest job, minutes; Infinity without a limit. */
  maxTime: number;
  /** Nodes that can work, now or when they are free. */
  usableNodes: number;
}

/** What a cluster allows; what it does not report has no limit here. */
export interface Limits {
  /** Tasks of an array. */
  maxArraySize: number;
  /** Tasks that the user may have in the queue. */
  maxSubmit: number;
  partitions: Partition[];
}

/** Asks for the limits of the cluster, and of the user's account where the cluster keeps accounts. */
export async function readLimits(ask: Ask, user: string | undefined): Promise<Limits> {
  const accounts = ["--noheader", "--parsable2", "show"];
  const [config, partitions, nodes, own, qos] = await Promise.all([
    ask("scontrol", ["show", "config"]),
    ask("scontrol", ["--oneliner", "show", "partition"]),
    ask("sinfo", ["--noheader", "--format=%R %t %D"]),
    user ? ask("sacctmgr", [...accounts, "assoc", `user=${user}`, "format=MaxSubmit,QOS"]) : null,
    ask("sacctmgr", [...accounts, "qos", "format=Name,MaxSubmitPU"]),
  ]);
  const settings = new Map(
    [...(config ?? "").matchAll(/^(\w+)\s*=\s*(.*)$/gm)].map(([, name, value]) => [name, value.trim()]),
  );
  const count = (text: string | undefined) => /^\d+$/.test(text ?? "") ? Number(text) : Infinity;
  const associations = (own ?? "").split("\n").filter(Boolean).map((line) => line.split("|"));
  const names = new Set(associations.flatMap(([, list]) => (list ?? "").split(",")));
  const ofQos = (qos ?? "").split("\n").map((line) => line.split("|")).filter(([name]) => names.has(name))
    .map(([, most]) => count(most));
  const usable = (name: string) =>
    (nodes ?? "").split("\n").map((line) => line.split(" ")).filter(([partition, state]) =>
      partition === name && !/^(?:down|drain|drng|fail|maint|unk|inval|err|pow|no_resp)|[*]$/i.test(state)
    ).reduce((sum, [, , own]) => sum + Number(own), 0);
  return {
    maxArraySize: count(settings.get("MaxArraySize")),
    // An association without a limit, or another one of the user's, is as good as any: the widest holds.
    maxSubmit: Math.min(
      count(settings.get("MaxJobCount")),
      associations.length > 0 ? Math.max(...associations.map(([most]) => count(most))) : Infinity,
      ofQos.length > 0 ? Math.max(...ofQos) : Infinity,
    ),
    partitions: (partitions ?? "").split("\n").filter(Boolean).map((line) => {
      const values = new Map([...line.matchAll(/(\w+)=(\S*)/g)].map(([, name, value]) => [name, value]));
      const name = values.get("PartitionName") ?? "";
      return {
        name,
        isDefault: values.get("Default") === "YES",
        state: values.get("State") ?? "UP",
        maxTime: minutesOf(values.get("MaxTime") ?? "") ?? Infinity,
        usableNodes: nodes === null ? Infinity : usable(name),
      };
    }),
  };
}

/**
 * Refuses a plan that the cluster would refuse, or never start, in part.
 *
 * @param queued tasks that the user has in the queue
 * @returns what is to be known of it before it waits, in sentences
 * @throws RangeError "--array-size 2000 gives propagate 2000 tasks, and this cluster takes 1001 an array (MaxArraySize): …"
 */
export function assertWithinLimits(plan: SlurmPlan, limits: Limits, queued: number): string[] {
  const { site, tasks } = plan, { maxArraySize, maxSubmit, partitions } = limits, steps = stepsOf(plan);
  const large = steps.find((step) => tasks[step] > maxArraySize);
  if (large) {
    throw new RangeError(
      `--array-size ${site.arraySize} gives ${large} ${
        tasks[large]
      } tasks, and this cluster takes ${maxArraySize} an ` +
        `array (MaxArraySize): give --array-size ${maxArraySize} or less.`,
    );
  }
  const wanted = steps.reduce((sum, step) => sum + tasks[step], 0);
  if (wanted + queued > maxSubmit) {
    throw new RangeError(
      `The run has ${wanted} tasks and ${queued} are in the queue, but only ${maxSubmit} are allowed (MaxSubmitJobs or MaxJobCount): ` +
        "give a smaller --array-size, or wait.",
    );
  }
  const time = site.time === undefined ? null : minutesOf(site.time);
  if (partitions.length === 0) return [];
  const names = site.partition?.split(",") ??
    partitions.filter(({ isDefault }) => isDefault).map(({ name }) => name);
  const known = partitions.map(({ name }) => name), unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`There is no partition ${unknown}: --partition takes ${known.join(", ")}.`);
  }
  const chosen = partitions.filter(({ name }) => names.includes(name));
  if (chosen.length === 0) return [];
  const longest = Math.max(...chosen.map(({ maxTime }) => maxTime));
  if (time !== null && time > longest) {
    throw new RangeError(
      `--time is ${site.time}, above the ${longest} minutes of partition ${
        names.join(", ")
      } (MaxTime): give less.`,
    );
  }
  const closed = chosen.filter(({ state }) => state === "INACTIVE" || state === "DRAIN");
  if (closed.length === chosen.length) {
    throw new RangeError(
      `Partition ${names.join(", ")} takes no jobs now (its state is ${
        closed[0].state
      }): choose another with --partition.`,
    );
  }
  return chosen.flatMap(({ name, state, usableNodes }) =>
    state === "DOWN"
      ? [`Partition ${name} is down: its tasks will wait until it is up again.`]
      : usableNodes === 0
      ? [`No node of partition ${name} can work now: its tasks will wait until one can.`]
      : []
  );
}
