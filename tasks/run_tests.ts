/**
 * Everything that must hold before a change is taken in: formatting, lint, types, documentation, and the tests.
 * `deno task test` runs all of it; with arguments (files, `--filter …`) only the tests that they select.
 * The last line reads "N passed, N failed"; the exit code is 0 only when all of it passed and a test ran.
 */
import { stripVTControlCharacters } from "node:util";

const CHECKS = [
  ["fmt", "--check", "--quiet"],
  ["lint", "--quiet"],
  ["check", "--quiet"],
  ["doc", "--lint", "--quiet", "mod.ts"],
];
const TEST = [
  "test",
  "--parallel",
  "--doc",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
  "--allow-run",
  "--allow-net=127.0.0.1",
];
/** Test files at a time: half of each test is waiting for a process or for the host's one thread, but the whole pipeline, as many run it, takes 1 GB. */
const JOBS = Deno.env.get("DENO_JOBS") ?? String(Math.max(2, Math.min(4, navigator.hardwareConcurrency)));
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(?:.*? \| (\d+) ignored)?/;

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

/**
 * Runs `deno test`, showing its output as it comes, and reads the counts from its last summary. Mesa's software adapter
 * now and then breaks the heap as a process ends (glibc: "double free or corruption"): all tests have been told by then.
 */
async function runTests(args: string[]): Promise<{ success: boolean; counts: Counts }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...TEST, ...args],
    env: { DENO_JOBS: JOBS },
    stdout: "piped",
    stderr: "inherit",
  });
  const child = command.spawn();
  const [shown, read] = child.stdout.tee();
  const showing = shown.pipeTo(Deno.stdout.writable, { preventClose: true });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  let rest = "", isOver = false;
  for await (const text of read.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const found = SUMMARY.exec(stripVTControlCharacters(line));
      if (!found) continue;
      isOver = true;
      [counts.passed, counts.failed, counts.skipped] = found.slice(1).map((count) => Number(count ?? 0));
    }
  }
  await showing;
  const { success, signal } = await child.status;
  if (signal && isOver) {
    console.log(`The process was ended by ${signal} after its last test, by what the driver does then.`);
  }
  return { success: success || (signal !== null && isOver && counts.failed === 0), counts };
}

const failedChecks: string[] = [];
if (Deno.args.length === 0) {
  for (const check of CHECKS) if (!await passes(check)) failedChecks.push(`deno ${check[0]}`);
}
const { success, counts } = await runTests(Deno.args);
if (failedChecks.length > 0) console.log(`Failed before the tests: ${failedChecks.join(", ")}.`);
if (counts.passed + counts.failed === 0) console.log("No test ran.");
if (!success && counts.failed === 0) console.log("The tests did not run to their end.");
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
Deno.exitCode = success && failedChecks.length === 0 && counts.passed > 0 ? 0 : 1;
