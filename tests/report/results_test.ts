import { assertEquals, assertRejects } from "@std/assert";
import { type ExperimentResults, mergeResults, readResults, type Results } from "../../src/report/results.ts";

const base: Omit<Results, "schema"> = {
  version: "0.1.0",
  deno: "2.9.6",
  adapter: { description: "llvmpipe", software: true },
  seed: 0,
  command: "./run reproduce",
  inputs: { models: ["mae-tiny"], images: 24, nodes: 56736, data: "embedded" },
  timings: { extract: 3.5 },
  memory: { peak_rss_mb: 400, peak_gpu_mb: 200 },
  experiments: {},
};

const CELL = {
  model: "clip",
  unit: "of r",
  effect: 1,
  low: 0.5,
  high: 2,
  p: 0.001,
  n: 20,
  verdict: "shown" as const,
};

const experiment = (value: number): ExperimentResults => ({
  metrics: { "tsne.kl": value },
  claims: [{ id: "a", paper: "p", measured: "m", statistic: "s", verdict: "shown", cells: [CELL] }],
});

async function inFolder(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/results.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("mergeResults() merges experiments by name and timings by stage, and replaces the rest", () =>
  inFolder(async (path) => {
    assertEquals(await readResults(path), undefined);
    await mergeResults(path, { ...base, experiments: { nystrom: experiment(1), colors: experiment(2) } });
    const second = {
      ...base,
      seed: 7,
      version: "0.2.0",
      command: "./run colors",
      timings: { cut: 9 },
      experiments: { colors: experiment(3) },
    };
    const merged = await mergeResults(path, second);
    assertEquals(merged, JSON.parse(await Deno.readTextFile(path)));
    assertEquals(await readResults(path), merged);
    assertEquals(Object.keys(merged.experiments), ["colors", "nystrom"]);
    assertEquals(merged.experiments.colors.metrics, { "tsne.kl": 3 });
    const { adapter, inputs, deno } = base;
    for (
      const [name, seed, command, version] of [
        ["nystrom", 0, base.command, "0.1.0"],
        ["colors", 7, "./run colors", "0.2.0"],
      ] as const
    ) {
      const { metrics: _, claims: __, ...run } = merged.experiments[name];
      assertEquals(run, { version, deno, adapter, inputs, seed, command }, name);
    }
    assertEquals(merged.experiments.nystrom.metrics, { "tsne.kl": 1 });
    assertEquals([merged.schema, merged.seed, merged.timings], [1, 7, { extract: 3.5, cut: 9 }]);
  }));

Deno.test("mergeResults() names the number that is not finite and leaves the file as it was", () =>
  inFolder(async (path) => {
    await mergeResults(path, base);
    const before = await Deno.readTextFile(path);
    const bad = { ...base, experiments: { colors: experiment(NaN) } };
    await assertRejects(
      () => mergeResults(path, bad),
      RangeError,
      'experiments.colors.metrics["tsne.kl"] is NaN',
    );
    const slow = { ...base, timings: { extract: Infinity } };
    await assertRejects(() => mergeResults(path, slow), RangeError, "timings.extract is Infinity");
    assertEquals(await Deno.readTextFile(path), before);
    assertEquals([...Deno.readDirSync(path.replace("/results.json", ""))].map((entry) => entry.name), [
      "results.json",
    ]);
  }));

Deno.test("mergeResults() refuses a verdict that is none", () =>
  inFolder(async (path) => {
    const odd = experiment(1);
    Object.assign(odd.claims[0], { verdict: "maybe" });
    await assertRejects(
      () => mergeResults(path, { ...base, experiments: { colors: odd } }),
      TypeError,
      '"maybe"',
    );
    assertEquals(await readResults(path), undefined);
  }));

Deno.test("mergeResults() does not write over a file that is not a results file", () =>
  inFolder(async (path) => {
    for (const text of ["not json", "[1]", '{"schema": 2, "experiments": {}}']) {
      await Deno.writeTextFile(path, text);
      await assertRejects(() => mergeResults(path, base), Error, "is not a results file of schema 1");
      assertEquals(await Deno.readTextFile(path), text);
    }
  }));
