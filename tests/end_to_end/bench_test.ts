import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { writeBenchPage } from "../../tasks/bench/bench_page.ts";
import type { Measured, WorkResult } from "../../tasks/bench/harness.ts";
import { regressions, warning } from "../../tasks/bench/ratios.ts";
import { peerVersions } from "../../tasks/bench/report.ts";
import { pairedRatio, spreadOf } from "../../tasks/bench/statistics.ts";
import { targetOutcomes } from "../../tasks/bench/targets.ts";
import { chosenWorks, planOf, WORKS } from "../../tasks/bench/works.ts";

Deno.test("regressions() are ratios that have grown by more than a quarter", () => {
  const grown = regressions({ a: 1, b: 1, c: 2, gone: 1 }, { a: 1.2, b: 1.3, c: 1, fresh: 9 });
  assertEquals(grown.map(({ name }) => name), ["b"]);
  assert(warning(grown[0], true).startsWith("::warning"));
  assert(warning(grown[0], false).includes("b"));
});

Deno.test("spreadOf() is the median with its quartiles; pairedRatio() that of rounds taken together", () => {
  assertEquals(spreadOf([5, 1, 2, 4, 3]), { median: 3, lower: 2, upper: 4, count: 5 });
  assertThrows(() => spreadOf([1, NaN]), RangeError, "A measurement is NaN");
  assertAlmostEquals(pairedRatio([2, 4, 9], [1, 2, 3]), 2);
  assertThrows(() => pairedRatio([2, 4, 9], [1, 2]), RangeError, "3 rounds against 2");
});

Deno.test("chosenWorks() takes names and families, and all that need no card unasked", () => {
  assertEquals(chosenWorks("cut-5000", true).map(({ name }) => name), ["cut-5000"]);
  assert(chosenWorks("matmul", true).length > 3);
  const unasked = chosenWorks(undefined, true).map(({ name }) => name);
  assert(!unasked.includes("paper-job") && unasked.includes("nystrom-200k"));
  assertThrows(() => planOf("cuts"), RangeError, 'There is no work "cuts": choose among matmul-1024');
  assertEquals(new Set(WORKS.map(({ name }) => name)).size, WORKS.length);
});

/** A participant that took so long. */
function took(name: string, seconds: number, figures: Record<string, number> = {}): Measured {
  return {
    name,
    version: "1",
    device: "x",
    rounds: [seconds],
    seconds: spreadOf([seconds]),
    ratio: seconds,
    figures,
    peakMb: 100,
  };
}

Deno.test("targetOutcomes() hold a work's figures against its targets, and say who was missing", () => {
  const cut = (seconds: number, residual: number, peers: Measured[]): WorkResult => ({
    name: "cut-5000",
    title: "cut",
    options: {},
    absent: { scipy: "not installed" },
    kernels: [],
    measured: [took("ours", seconds, { residual, cosine: 0.9999 }), ...peers],
  });
  const outcomes = (result: WorkResult) =>
    targetOutcomes([result], ["cut-5000"], true).map(({ verdict }) => verdict);
  const ncut = (ratio: number, cosine: number) => ({ ...took("ncut-pytorch", 1, { cosine }), ratio });
  const scipy = { ...took("scipy", 1), ratio: 2 };
  assertEquals(outcomes(cut(0.5, 1e-5, [ncut(1.2, 0.99), scipy])), ["met", "met", "met"]);
  assertEquals(outcomes(cut(0.5, 1e-3, [ncut(1.2, 1), scipy])), ["not met", "not met", "met"]);
  assertEquals(outcomes(cut(0.9, 1e-5, [ncut(0.9, 0.99)])), ["not met", "not met", "not measured"]);
  const product = { ...cut(0.5, 0, []), name: "matmul-apply", absent: {} };
  const [build] = targetOutcomes([product], ["matmul-apply"], true);
  assertEquals(
    [build.verdict, build.measured],
    ["not measured", "build 4f63b69 absent (not asked for: --baseline 4f63b69)"],
  );
  const [missing] = targetOutcomes([], ["extraction"], true);
  assertEquals([missing.verdict, missing.measured], ["not measured", "its work did not run"]);
});

Deno.test("peerVersions() names every peer that was measured with its version, once", () => {
  const work = (...versions: string[]): WorkResult => ({
    name: "cut-5000",
    title: "cut",
    options: {},
    absent: {},
    kernels: [],
    measured: versions.map((version) => ({ ...took("x", 1), version })),
  });
  assertEquals(
    peerVersions([
      work("Deno 2.9.6", "scipy 1.17.1"),
      work("Deno 2.9.6", "ncut-pytorch 3.2.0, torch 2.15.0", ""),
    ]),
    ["ncut-pytorch 3.2.0", "scipy 1.17.1", "torch 2.15.0"],
  );
});

Deno.test("writeBenchPage() says under every chart what is drawn, its unit and of how many rounds", async () => {
  const measured = [took("ours", 1), { ...took("scipy", 2), seconds: spreadOf([1, 2, 3]) }];
  await inTemporaryFolder(async (out) => {
    const path = await writeBenchPage(
      {
        schema: 1,
        version: "1",
        deno: "2",
        adapter: { description: "made-up adapter", software: true },
        cores: 1,
        load: [0],
        limits: { gflops: null, gbs: 1, source: "copy" },
        works: [{
          name: "cut-5000",
          title: "Cut of 5,000 nodes",
          options: {},
          measured,
          absent: {},
          kernels: [],
        }],
        targets: [],
      },
      out,
      "./run bench",
    );
    const captions = [...(await Deno.readTextFile(path)).matchAll(/<figcaption>([^<]*)</g)].map(([, own]) =>
      own
    );
    assertEquals(captions, [
      "Cut of 5,000 nodes: wall time in seconds, median of n = 1 to 3 rounds; ours first.",
    ]);
  });
});
