/**
 * Everything that must hold before a change is taken in: formatting, lint, types, documentation, and the tests.
 * `./run test` runs all of it; with arguments (files, `--filter …`) only the tests that they select. Random inputs are the same
 * in every run; `--fresh` draws others and names their seed.
 * What failed and what was skipped is repeated at the end. The last line reads "N passed, N failed"; the exit code is 0 only
 * when all of it passed and a test ran.
 */
import { stripVTControlCharacters } from "node:util";

const CHECKS = [
  ["fmt", "--check", "--quiet"],
  ["lint", "--quiet"],
  ["check", "--quiet"],
  ["doc", "--lint", "--quiet", "mod.ts", "src/data/mod.ts", "src/report/mod.ts", "src/scripting/mod.ts"],
];
const TEST = [
  "test",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
  "--allow-run",
  "--allow-net=127.0.0.1",
];
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?:.*? \| (\d+) ignored)?/;

/** Seed of the tests' random inputs: $ALIGNEDCUT_TEST_SEED, or a fresh one with `--fresh`. */
const isFresh = Deno.args.includes("--fresh"), selected = Deno.args.filter((arg) => arg !== "--fresh");
const SEED = isFresh ? String(Date.now() % 1e9) : Deno.env.get("ALIGNEDCUT_TEST_SEED") ?? "1";
/** Servers of tests are on this machine, also where the network is behind a proxy. */
const DIRECT = [Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy") ?? "", "127.0.0.1"].filter(Boolean)
  .join(",");

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

async function passes(args: string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), { args, stdout: "inherit", stderr: "inherit" });
  const { success } = await command.output();
  console.log(`${success ? "ok    " : "FAILED"} deno ${args[0]}`);
  return success;
}

/** What came of some tests. */
interface Outcome {
  success: boolean;
  counts: Counts;
  /** Names of those that were not run; each says why. */
  skipped: string[];
  /** Lines on those that failed. */
  failures: string[];
}

/** What a process of `deno test` is given. */
type Share = string[];

/** Begun before all others, so that nothing waits for them at the end; so are the examples. */
const LONGEST = [
  "tests/end_to_end/faults_test.ts",
  "tests/end_to_end/own_data_test.ts",
  "tests/end_to_end/pack_test.ts",
  "tests/end_to_end/brain_score_task_test.ts",
  "tests/experiments/brain_score/universality_test.ts",
  "tests/end_to_end/pages_browser_test.ts",
  "tests/report/explorer_browser_test.ts",
  "tests/report/explorer_cortex_browser_test.ts",
  "tests/report/views_test.ts",
  "tests/browser/kernels_test.ts",
  "tests/linalg/matmul_test.ts",
  "tests/slurm/slurm_test.ts",
];
/** Files of a process: many would have others wait for it, few would start too many. */
const FILES_A_SHARE = 6;
/** Processes at a time. Half of most tests is one thread at work, some only wait; the whole pipeline, as some run it, takes 1 GB. */
const JOBS = Math.min(4, navigator.hardwareConcurrency + 1);

/**
 * All tests in shares: the longest files, the examples in comments and in the README, and the other files by sixes; types
 * are checked beside them.
 */
async function allTests(): Promise<Share[]> {
  const files: string[] = [];
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await visit(path);
      else if (/_test\.ts$/.test(name) && !LONGEST.includes(path)) files.push(path);
    }
  };
  await visit("tests");
  files.sort();
  const shares = LONGEST.map((file) => [file]);
  while (files.length > 0) shares.push(files.splice(0, FILES_A_SHARE));
  const checked = shares.map((share) => ["--no-check", ...share]), doc = ["--doc", "--ignore=tests"];
  return [...checked.slice(0, LONGEST.length), doc, ...checked.slice(LONGEST.length)];
}

/**
 * Runs `deno test` on a share and reads the counts from its last summary. Its output is shown as it comes, or all at once
 * where others run beside it. Mesa's software adapter now and then breaks the heap as a process ends (glibc: "double free or
 * corruption"): all tests have been reported by then.
 */
async function runTests(share: Share, isAlone: boolean): Promise<Outcome> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...TEST, ...share],
    env: { ALIGNEDCUT_TEST_SEED: SEED, NO_PROXY: DIRECT },
    stdout: "piped",
    stderr: isAlone ? "inherit" : "piped",
  });
  const child = command.spawn();
  const errors = isAlone ? Promise.resolve("") : new Response(child.stderr).text();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const decoder = new TextDecoder(), encoder = new TextEncoder();
  const skipped: string[] = [], failures: string[] = [];
  let text = "", rest = "", isOver = false, isError = false;
  for await (const bytes of child.stdout) {
    const more = decoder.decode(bytes, { stream: true });
    if (isAlone) await Deno.stdout.write(encoder.encode(more));
    else text += more;
    const lines = (rest + more).split("\n");
    rest = lines.pop()!;
    for (const line of lines.map(stripVTControlCharacters)) {
      if (/ \.\.\. ignored\b/.test(line)) skipped.push(line.replace(/ \.\.\. ignored.*/, "").trim());
      if (line.trim() === "FAILURES") isError = false;
      if (isError) failures.push(line);
      if (line.trim() === "ERRORS") isError = true;
      const found = SUMMARY.exec(line);
      if (!found) continue;
      isOver = true;
      [counts.passed, counts.failed, counts.skipped] = found.slice(1).map((count) => Number(count ?? 0));
    }
  }
  const { success, signal } = await child.status;
  const warnings = (await errors).split("\n").filter((line) => line && !/XDG_RUNTIME_DIR/.test(line));
  if (!isAlone) console.log([text.trimEnd(), ...warnings].join("\n"));
  if (signal && isOver) {
    console.log(`The process was ended by ${signal} after its last test, by what the driver does then.`);
  }
  if (!success && counts.failed === 0 && !(signal && isOver)) {
    failures.push(`The tests did not run to their end: ${share.join(" ")}`, ...warnings.slice(-MAX_LINES));
  }
  return {
    success: success || (signal !== null && isOver && counts.failed === 0),
    counts,
    skipped,
    failures: inFewLines(failures),
  };
}

/** Lines, and characters of each, that are repeated at the end of what is said of a failure. */
const MAX_LINES = 12, MAX_CHARACTERS = 300;

/** Of each failure its name, its message's first lines and its place, as logs are cut; the rest stands where the test ran. */
function inFewLines(lines: string[]): string[] {
  const found: string[] = [];
  let left = MAX_LINES, isPlaced = false;
  for (const line of lines) {
    if (/ => .+:\d+:\d+$/.test(line)) { // the next one
      [left, isPlaced] = [MAX_LINES, false];
      found.push("");
    }
    if (line === "") continue;
    if (/^\s+at /.test(line)) {
      if (!isPlaced && /\/tests\//.test(line)) found.push(line);
      isPlaced ||= /\/tests\//.test(line);
      continue;
    }
    if (left-- <= 0) continue;
    found.push(line.length > MAX_CHARACTERS ? `${line.slice(0, MAX_CHARACTERS)} …` : line);
  }
  return found;
}

/** Runs shares, a few at a time, and adds up. */
async function runShares(shares: Share[]): Promise<Outcome> {
  const all: Outcome = {
    success: true,
    counts: { passed: 0, failed: 0, skipped: 0 },
    skipped: [],
    failures: [],
  };
  const waiting = [...shares];
  await Promise.all(Array.from({ length: JOBS }, async () => {
    for (let share = waiting.shift(); share; share = waiting.shift()) {
      const { success, counts, skipped, failures } = await runTests(share, shares.length === 1);
      all.success &&= success;
      all.skipped.push(...skipped);
      all.failures.push(...failures);
      for (const key of ["passed", "failed", "skipped"] as const) all.counts[key] += counts[key];
    }
  }));
  return all;
}

/** The checks that fail, one after the other: each is one thread at work, and leaves the others to the tests. */
async function failingChecks(): Promise<string[]> {
  const failed: string[] = [];
  for (const check of CHECKS) if (!await passes(check)) failed.push(`deno ${check[0]}`);
  return failed;
}

const isAll = selected.length === 0;
if (isFresh) {
  console.log(`Random inputs of seed ${SEED}: ALIGNEDCUT_TEST_SEED=${SEED} ./run test repeats them.`);
}
const [{ success, counts, skipped, failures }, failedChecks] = await Promise.all([
  runShares(isAll ? await allTests() : [selected]),
  isAll ? failingChecks() : [],
]);
for (const name of skipped) console.log(`skipped: ${name}`);
if (failedChecks.length > 0) console.log(`Failed beside the tests: ${failedChecks.join(", ")}.`);
if (counts.passed + counts.failed === 0) console.log("No test ran.");
if (failures.length > 0) console.log(`\n${failures.join("\n").trim()}\n`);
console.log(
  `${counts.passed} passed, ${counts.failed} failed${
    counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""
  }`,
);
Deno.exitCode = success && failedChecks.length === 0 && counts.passed > 0 ? 0 : 1;
