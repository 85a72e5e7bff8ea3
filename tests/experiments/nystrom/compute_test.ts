import { assert, assertEquals } from "@std/assert";
import { closeGpu, normalizedCut, openGpu } from "../../../mod.ts";
import {
  auditNystrom,
  auditRun,
  auditSentence,
  settingsOf,
} from "../../../src/experiments/nystrom/compute.ts";
import { writeNystromReport } from "../../../src/experiments/nystrom/report.ts";
import { matrixSource } from "../../../src/graph/node_source.ts";
import { clusteredMatrix } from "../../support/clustered.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { testSeed } from "../../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("auditNystrom() finds all nodes as landmarks exact, and fewer worse; the report says so", async () => {
  const x = clusteredMatrix(400, 12, 5, 0.25),
    plan = {
      nodes: 400,
      components: 4,
      landmarks: [60, 400],
      neighbors: [1],
      seed: testSeed,
      samplings: ["uniform" as const],
    };
  const audit = await auditNystrom(gpu, matrixSource(x), plan);
  const at = (landmarks: number) =>
    audit.rows.find((row) => row.method === "nystrom" && row.landmarks === landmarks)!;
  assert(at(400).angles.every((angle) => angle < 0.5), `${at(400).angles}, seed ${testSeed}`);
  assertEquals(at(400).trusted, 4);
  assert(at(60).angles[3] > at(400).angles[3]);
  assertEquals(audit.rows.map(({ method }) => method), ["nystrom", "nystrom", "fowlkes", "gradient"]);
  await inTemporaryFolder(async (out) => {
    const path = await writeNystromReport({
      out,
      command: "./run nystrom",
      gpu,
      models: ["a"],
      graph: 4000,
      data: "made up",
      images: 3,
      audit,
      run: await auditRun(
        gpu,
        matrixSource(x),
        (await normalizedCut(gpu, x, { components: 4 })).eigenvectors,
        0,
      ),
      landmarks: 300,
      neighbors: "all",
      timings: {},
      seed: 0,
    });
    const page = await Deno.readTextFile(path);
    assert(page.includes("m 400, K 1, uniform") && page.includes("<svg"));
    const { experiments } = JSON.parse(await Deno.readTextFile(`${out}/results.json`));
    assert(experiments.nystrom.metrics["angle.max.m400.k1.uniform"] < 0.5);
  });
});

Deno.test("auditRun() trusts eigenvectors that are exact, and not those of shuffled nodes", async () => {
  const x = clusteredMatrix(300, 12, 5, 0.25);
  const { eigenvectors } = await normalizedCut(gpu, x, { components: 5 });
  const right = await auditRun(gpu, matrixSource(x), eigenvectors, testSeed);
  assertEquals([right.trusted, right.nodes], [5, 300]);
  assert(right.leadingAngles.every((angle) => angle < 0.5), `${right.leadingAngles}, seed ${testSeed}`);
  assert(auditSentence(right).includes("5 of 5 leading components"));
  const { data, rows, cols } = eigenvectors;
  const mixed = data.map((_, at) => data[(Math.floor(at / cols) ** 2 % rows) * cols + at % cols]);
  const shuffled = { ...eigenvectors, data: mixed };
  const wrong = await auditRun(gpu, matrixSource(x), shuffled, testSeed);
  assert(wrong.trusted < 5 && wrong.leadingAngles[4] > 30, `${wrong.leadingAngles}, seed ${testSeed}`);
});

Deno.test("settingsOf() varies one thing at a time", () => {
  const settings = settingsOf({
    nodes: 9,
    components: 2,
    landmarks: [5, 50],
    neighbors: [1, 8, 32],
    seed: 0,
    samplings: ["uniform", "farthest"],
  });
  assertEquals(
    settings.map(({ landmarks, neighbors, sampling }) => `${landmarks} ${neighbors} ${sampling}`),
    [
      "5 1 uniform",
      "50 8 uniform",
      "50 8 farthest",
      "50 1 uniform",
      "50 32 uniform",
    ],
  );
});
