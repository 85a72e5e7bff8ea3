/**
 * `./run fault-injection`: breaks things on purpose, and reports for each family how many faults were tried and how many
 * were not handled.
 */
import { FAMILIES } from "../../tests/faults/families.ts";
import { type Parsed, runCommand } from "../../src/cli/options.ts";
import { text, toggle, wholeNumber } from "../../src/cli/option_kinds.ts";

/** The task and its options. */
export const COMMAND = {
  task: "fault-injection",
  about: FAMILIES.map(({ name, title }) => `  ${name.padEnd(16)}${title}`).join("\n"),
  options: {
    only: text({ value: "LIST", help: "families by name, as files,kill", shown: "all" }),
    quick: toggle({ help: "the short form, as in the test suite" }),
    seed: wholeNumber({ help: "seed of every random choice", default: 0, from: 0 }),
  },
};

async function injectFaults({ options }: Parsed<typeof COMMAND.options>): Promise<void> {
  const names = FAMILIES.map(({ name }) => name), asked = options.only?.split(",") ?? names;
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`There is no family "${unknown}": choose among ${names.join(", ")}.`);
  }
  const { quick, seed } = options, lines: string[] = [];
  let failed = 0;
  for (const { name, run } of FAMILIES.filter(({ name }) => asked.includes(name))) {
    const started = performance.now();
    const report = await run({
      quick,
      seed,
      report: (line) => console.error(`${name}: ${line}`),
    });
    for (const failure of report.failures) console.error(`FAILED ${name}: ${failure}`);
    failed += report.failures.length;
    const figures = Object.entries(report.figures ?? {}).map(([what, value]) => `, ${what}: ${value}`).join(
      "",
    );
    const seconds = Math.round((performance.now() - started) / 1000);
    lines.push(`${name}: ${report.tried} tried, ${report.failures.length} failed${figures} (${seconds} s)`);
    console.log(lines.at(-1));
  }
  if (failed > 0) throw new Error(`${failed} faults were not handled: they are named above.`);
}

if (import.meta.main) await runCommand(COMMAND, injectFaults);
