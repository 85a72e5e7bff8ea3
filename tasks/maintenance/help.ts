/** `./run help`: the tasks, one line each; with a name that no task has, the one that was probably meant. */
import { nearestName } from "../../src/cli/nearest_name.ts";

/** The part of deno.json that is read. */
interface Config {
  tasks: Record<string, { description: string }>;
}

/**
 * Lists the tasks in the order of the configuration, their descriptions one below the other.
 *
 * @throws Error "The task x in deno.json has no description: give it one, in a line."
 */
export function taskList({ tasks }: Config): string {
  const width = Math.max(...Object.keys(tasks).map((name) => name.length));
  const lines = Object.entries(tasks).map(([name, { description }]) => {
    if (description) return `  ${name.padEnd(width)}  ${description}`;
    throw new Error(`The task ${name} in deno.json has no description: give it one, in a line.`);
  });
  return [
    "./run TASK [options]   run a task; the first time, set up what is missing",
    "./run TASK --help      its options",
    "./run deno …           Deno itself, as it was set up",
    "",
    ...lines,
  ].join("\n");
}

/**
 * What is wrong with a name that no task has.
 *
 * @returns 'There is no task "reprduce": did you mean ./run reproduce? (./run help lists them all.)'
 */
export function unknownTask(name: string, { tasks }: Config): string {
  const meant = nearestName(name.replace(/^-+/, ""), Object.keys(tasks));
  const rest = meant
    ? `did you mean ./run ${meant}? (./run help lists them all.)`
    : "./run help lists them all.";
  return `There is no task "${name}": ${rest}`;
}

if (import.meta.main) {
  const config: Config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  const [name] = Deno.args;
  if (name === undefined) console.log(taskList(config));
  else {
    console.error(unknownTask(name, config));
    Deno.exitCode = 1;
  }
}
