/** `./run help`: the tasks, one line each. */

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
    "",
    ...lines,
  ].join("\n");
}

if (import.meta.main) {
  console.log(taskList(JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)))));
}
