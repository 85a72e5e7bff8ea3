/** `./run mutate`: makes small faults, one at a time, in a copy of the checkout, and reports which of them no test notices. */
import { stripVTControlCharacters } from "node:util";
import { formatSeconds } from "../../src/report/progress.ts";
import { type Mutant, MUTANTS } from "../../tests/mutants/mod.ts";
import { type Parsed, runCommand } from "../../src/cli/options.ts";
import { text, toggle } from "../../src/cli/option_kinds.ts";

/** The task and its options. */
export const COMMAND = {
  task: "mutate",
  about: "Changes one line of the code at a time, in a temporary copy, and runs the tests that should notice",
  options: {
    only: text({
      value: "LIST",
      help: "files whose path holds one of these, as align/train,shaders",
      shown: "all",
    }),
    list: toggle({ help: "list the changes, run nothing" }),
  },
};

const ROOT = new URL("../..", import.meta.url).pathname;
/** Not copied. Packages are linked. */
const LEFT_OUT = [".git", ".cache", "node_modules", "reports"];
/** Least share of the mutants that the tests have to notice. */
const WANTED = 0.95;
/** Inputs that the tests draw are the same on every run. */
const SEED = "1";
/** A run that takes this many times as long as without the change, and a minute, has hung. */
const SLOWER = 10;

type Outcome = "killed" | "survived" | "error";

interface Run {
  passed: number;
  failed: number;
  seconds: number;
  /** Ended because it took too long. */
  hung: boolean;
  /** The first test that failed, or the last line where none ran. */
  note: string;
}

async function copyCheckout(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (LEFT_OUT.includes(name)) continue;
    if (isDirectory) await copyCheckout(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Runs test files until the first failure. */
async function runTests(folder: string, tests: readonly string[], limit?: number): Promise<Run> {
  const started = performance.now(), signal = limit === undefined ? undefined : AbortSignal.timeout(limit);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--no-check", "-A", "--fail-fast", ...tests.map((test) => `tests/${test}`)],
    cwd: folder,
    env: { ALIGNEDCUT_TEST_SEED: SEED },
    stdout: "piped",
    stderr: "piped",
    signal,
  });
  const { stdout, stderr } = await child.output();
  const text = [stdout, stderr].map((bytes) => stripVTControlCharacters(new TextDecoder().decode(bytes)))
    .join("\n");
  const summary = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/m.exec(text);
  const broken = /^.*(?:Compiling the kernel|Shader validation error).*$/m.exec(text)?.[0];
  const lines = text.trim().split("\n").filter((line) => line && !line.includes("XDG_RUNTIME_DIR"));
  return {
    passed: broken ? 0 : Number(summary?.[1] ?? 0),
    failed: broken ? 0 : Number(summary?.[2] ?? 0),
    seconds: (performance.now() - started) / 1000,
    hung: signal?.aborted ?? false,
    note: broken ?? /^(\S.*) \.\.\. FAILED/m.exec(text)?.[1] ?? lines.at(-1) ?? "",
  };
}

/** Where and what, in one line. */
function nameOf({ file, breaks }: Mutant): string {
  return `${file}: ${breaks}`;
}

/** The folder by which mutants are counted: align for src/align/train.ts, shaders for shaders/adamw.wgsl. */
function groupOf({ file }: Mutant): string {
  return file.replace(/^src\//, "").split("/")[0];
}

async function tryMutant(
  folder: string,
  mutant: Mutant,
  usual: number,
): Promise<{ outcome: Outcome; note: string }> {
  const path = `${folder}/${mutant.file}`, code = await Deno.readTextFile(path);
  const count = code.split(mutant.text).length - 1;
  if (count !== 1) return { outcome: "error", note: `its text occurs ${count} times: write it anew` };
  await Deno.writeTextFile(path, code.replace(mutant.text, () => mutant.replacement));
  try {
    const run = await runTests(folder, mutant.tests, 60_000 + SLOWER * 1000 * usual);
    if (run.hung) return { outcome: "killed", note: "the tests hung" };
    if (run.failed > 0) return { outcome: "killed", note: run.note };
    if (run.passed > 0) return { outcome: "survived", note: "" };
    return { outcome: "error", note: `the tests did not run: ${run.note}` };
  } finally {
    await Deno.writeTextFile(path, code);
  }
}

async function mutate(mutants: readonly Mutant[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "alignedcut-mutate-" });
  const found = new Map<Mutant, Outcome>(), started = performance.now();
  try {
    await copyCheckout(ROOT, folder);
    await Deno.symlink(`${ROOT}node_modules`, `${folder}/node_modules`);
    const usual = new Map<string, number>();
    for (const test of new Set(mutants.flatMap(({ tests }) => tests))) {
      const { passed, failed, seconds, note } = await runTests(folder, [test]);
      if (failed > 0 || passed === 0) {
        throw new Error(`tests/${test} does not pass without a change: ${note}`);
      }
      usual.set(test, seconds);
    }
    console.log(
      `${usual.size} test files pass without a change (${
        formatSeconds((performance.now() - started) / 1000)
      })`,
    );
    for (const mutant of mutants) {
      const before = performance.now();
      const { outcome, note } = await tryMutant(
        folder,
        mutant,
        mutant.tests.reduce((sum, test) => sum + usual.get(test)!, 0),
      );
      found.set(mutant, outcome);
      const seconds = formatSeconds((performance.now() - before) / 1000);
      console.log(`${outcome.padEnd(9)} ${nameOf(mutant)} (${seconds})${note && `\n          ${note}`}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  report(found, (performance.now() - started) / 1000);
}

/** The table, and an error unless enough were killed and all could be tried. */
function report(found: Map<Mutant, Outcome>, seconds: number): void {
  const count = (outcome: Outcome, group?: string) =>
    [...found].filter(([mutant, own]) => own === outcome && (!group || groupOf(mutant) === group)).length;
  const cells = (name: string, ...numbers: (number | string)[]) =>
    name.padEnd(12) + numbers.map((number) => String(number).padStart(9)).join("");
  console.log(`\n${cells("folder", "killed", "survived", "error")}`);
  for (const group of new Set([...found.keys()].map(groupOf))) {
    console.log(cells(group, count("killed", group), count("survived", group), count("error", group)));
  }
  const killed = count("killed"), survived = count("survived"), errors = count("error");
  console.log(cells("all", killed, survived, errors));
  const share = killed / Math.max(1, killed + survived);
  console.log(
    `${(100 * share).toFixed(1)} % of ${killed + survived} mutants killed in ${formatSeconds(seconds)}`,
  );
  for (const [mutant] of [...found].filter(([, outcome]) => outcome === "survived")) {
    console.log(`survived: ${nameOf(mutant)}`);
  }
  if (errors > 0) throw new Error(`${errors} mutants could not be tried: they are named above.`);
  if (share < WANTED) {
    throw new Error(`Fewer than ${100 * WANTED} % were killed: write the tests that are missing.`);
  }
}

async function mutateTask({ options }: Parsed<typeof COMMAND.options>): Promise<void> {
  const asked = options.only?.split(",") ?? [""];
  const chosen = MUTANTS.filter(({ file }) => asked.some((part) => file.includes(part)));
  if (chosen.length === 0) {
    throw new RangeError(`No file with a mutant holds ${asked.join(" or ")}: see --list.`);
  }
  if (!options.list) return await mutate(chosen);
  for (const mutant of chosen) console.log(nameOf(mutant));
  console.log(`${chosen.length} mutants`);
}

if (import.meta.main) await runCommand(COMMAND, mutateTask);
