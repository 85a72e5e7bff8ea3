/**
 * Writes docs/options.md by the options' specifications: a table of what the experiments share, and the help of every task.
 * `./run deno run -A tasks/maintenance/write_options.ts`
 */
import config from "../../deno.json" with { type: "json" };
import type { Options } from "../../src/cli/option_kinds.ts";
import { type Command, helpOf, wrapped } from "../../src/cli/options.ts";
import { PIPELINE_OPTIONS } from "../shared/options.ts";

const ROOT = new URL("../../", import.meta.url);
/** Tasks whose commands are Deno's own, or take names of tests only. */
const WITHOUT_OPTIONS = ["doc", "deps-audit", "test"];

/** Every task with options, by its module. @throws Error "tasks/x.ts has no COMMAND: …" */
export async function allCommands(): Promise<Command[]> {
  const tasks = Object.entries(config.tasks).filter(([name]) => !WITHOUT_OPTIONS.includes(name));
  return await Promise.all(tasks.map(async ([name, { command }]) => {
    const file = command.split(" ").at(-1)!, { COMMAND } = await import(new URL(file, ROOT).href);
    if (COMMAND?.task === name) return COMMAND as Command;
    throw new Error(`${file} has no COMMAND of the task ${name}: export one, with its options.`);
  }));
}

const isExperiment = ({ options }: Command) => Object.keys(PIPELINE_OPTIONS).every((name) => options[name]);

/** A table: the options of the experiments, and the other tasks that take them. */
function pipelineTable(commands: readonly Command[]): string {
  const others = commands.filter((command) => !isExperiment(command));
  const rows = Object.entries(PIPELINE_OPTIONS as Options).map(([name, { value, help, shown }]) => {
    const tasks = others.filter(({ options }) => options[name]?.help === help).map(({ task }) =>
      `\`${task}\``
    );
    const byDefault = shown ?? (value ? "none" : "off");
    return [`\`--${name}${value && ` ${value}`}\``, help, byDefault, tasks.join(", ")];
  });
  return tableOf([["option", "what it does", "default", "also of"], ...rows]);
}

/** "`--knn` (now `--neighbor-search`)" of every option that had another name. */
function oldNames(commands: readonly Command[]): string {
  const found = commands.flatMap(({ options }) =>
    Object.entries(options).flatMap(([name, { formerly }]) =>
      formerly ? [`\`--${formerly}\` (now \`--${name}\`)`] : []
    )
  );
  return [...new Set(found)].join(", ");
}

/** A table in Markdown, its columns aligned as `deno fmt` aligns them. */
function tableOf([head, ...rows]: string[][]): string {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...rows].map((row) => row[at].length)));
  const line = (row: string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at])).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** docs/options.md. */
export function optionsPage(commands: readonly Command[]): string {
  const own = commands.map((command) => {
    const further = Object.entries(command.options).filter(([name]) => !(name in PIPELINE_OPTIONS));
    return isExperiment(command) ? { ...command, options: Object.fromEntries(further) } : command;
  });
  const isPlain = ({ options }: Command, at: number) =>
    isExperiment(commands[at]) && Object.keys(options).length === 0;
  const plain = own.filter(isPlain).map(({ task }) => `\`${task}\``);
  const helps = own.filter((command, at) => !isPlain(command, at)).map((command) =>
    `## ${command.task}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`
  );
  const old =
    `Old names that still work in this version: ${oldNames(commands)}; and the tasks \`audit\` (now ` +
    "`deps-audit`), `faults` (now `fault-injection`) and `fixtures` (now `synthetic-dataset`); and `groups` as " +
    "`--neighbor-search` (now `ivf`).";
  return `# Options

Options of \`reproduce\` and every experiment, and the other tasks that take the same:

${pipelineTable(commands)}

${wrapped("", 0, `These tasks have no further options: ${plain.join(", ")}.`)}

${wrapped("", 0, old)}

What \`./run TASK --help\` prints, for \`reproduce\` and the experiments without the options above:

${helps.join("\n")}`;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("docs/options.md", ROOT), optionsPage(await allCommands()));
}
