/**
 * Writes docs/options.md by the options' specifications: a table of what the experiments share, and the help of every task.
 * `./run deno run -A tasks/maintenance/write_options.ts`
 */
import config from "../../deno.json" with { type: "json" };
import type { Options } from "../../src/cli/option_kinds.ts";
import { type Command, helpOf } from "../../src/cli/options.ts";
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

/** A table: the options of the experiments, and the other tasks that take them. */
function pipelineTable(commands: readonly Command[]): string {
  const isExperiment = ({ options }: Command) => Object.keys(PIPELINE_OPTIONS).every((name) => options[name]);
  const others = commands.filter((command) => !isExperiment(command));
  const rows = Object.entries(PIPELINE_OPTIONS as Options).map(([name, { value, help, shown }]) => {
    const tasks = others.filter(({ options }) => options[name]?.help === help).map(({ task }) =>
      `\`${task}\``
    );
    return [
      `\`--${name}${value && ` ${value}`}\``,
      help,
      shown ?? (value ? "none" : "off"),
      tasks.join(", "),
    ];
  });
  return tableOf([["option", "what it does", "default", "also of"], ...rows]);
}

/** A table in Markdown, its columns aligned as `deno fmt` aligns them. */
function tableOf([head, ...rows]: string[][]): string {
  const widths = head.map((_, at) => Math.max(3, ...[head, ...rows].map((row) => row[at].length)));
  const line = (row: string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at])).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** docs/options.md. */
export function optionsPage(commands: readonly Command[]): string {
  const helps = commands.map((command) => `## ${command.task}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`);
  return `# Options

Of \`reproduce\` and every experiment, and which other tasks take the same:

${pipelineTable(commands)}

What \`./run TASK --help\` prints:

${helps.join("\n")}`;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("docs/options.md", ROOT), optionsPage(await allCommands()));
}
