/** `./run faults`: breaks things on purpose, and tells for each family how many were tried and how many were not borne. */
import { FAMILIES } from "../../tests/faults/families.ts";
import { readFlags, runTask, wholeNumber } from "../../src/cli/read_flags.ts";

const HELP = `./run faults [options]

${FAMILIES.map(({ name, title }) => `  ${name.padEnd(16)}${title}`).join("\n")}

  --only LIST       families by name, as files,kill (default: all)
  --quick           the short form, as in the test suite
  --seed N          seed of every random choice (default: 0)
  --help            this text`;

await runTask(async () => {
  const flags = readFlags(Deno.args, ["only", "seed"], ["quick"]);
  if (!flags) return console.log(HELP);
  const names = FAMILIES.map(({ name }) => name), asked = flags.only ? String(flags.only).split(",") : names;
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new RangeError(`There is no family "${unknown}": choose among ${names.join(", ")}.`);
  }
  const seed = wholeNumber(flags, "seed", 0) ?? 0, lines: string[] = [];
  let failed = 0;
  for (const { name, run } of FAMILIES.filter(({ name }) => asked.includes(name))) {
    const started = performance.now();
    const report = await run({
      quick: flags.quick === true,
      seed,
      tell: (line) => console.error(`${name}: ${line}`),
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
  if (failed > 0) throw new Error(`${failed} faults were not borne: they are named above.`);
});
