/** Runs every experiment N times in this process, each time computing everything but the alignments, and reports its memory. */
import { embeddedModels, subjectOf, syntheticDataset, vocOf } from "../../src/synthetic/dataset.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { PIPELINE_OPTIONS } from "../../tasks/shared/options.ts";
import { reproduceAll } from "../../tasks/reproduce_all.ts";

/** Training scenes of the soak's synthetic dataset: a run that computes has to end in seconds. */
const SCENES = 20;
/** A run without the comparison with exact answers, which would take most of its time, but for one of N. */
const AUDITED = 10;

const [runs, folder] = Deno.args;
const cache = `${folder}/cache`, kept = `${cache}/runs`;
const { gc } = globalThis as unknown as { gc(how: { type: "major"; flavor: "last-resort" }): void };

/** Makes V8 give back what it holds for later: its heap is as large as it likes, between 120 and 180 MB here. */
async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    gc({ type: "major", flavor: "last-resort" });
    await new Promise((resolve) => setTimeout(resolve, 50)); // for what is freed behind the scenes
  }
}

/** Removes what earlier runs have computed; the audits of eigenvectors only sometimes. */
async function forget(run: number): Promise<void> {
  for (const { name } of await Array.fromAsync(Deno.readDir(kept)).catch(() => [])) {
    if (/^audit-/.test(name) && run % AUDITED > 0) continue;
    await Deno.remove(`${kept}/${name}`, { recursive: true });
  }
}

const dataset = await syntheticDataset(SCENES, cache);
const folders = { algonauts: subjectOf(dataset, cache), voc: vocOf(dataset, cache) };
const model = embeddedModels()[0];
for (let run = 0; run < Number(runs); run++) {
  await forget(run);
  const data = Object.entries(folders).flatMap(([kind, path]) => ["--data", `${kind}:${path}`]);
  const small = ["--quick", "--limit", "2", "--landmarks", "100", "--model", model];
  const memory = await reproduceAll(
    parseOptions(PIPELINE_OPTIONS, [...small, ...data, "--out", `${folder}/out`, "--cache", cache])!,
  );
  await collect();
  console.log(`@${JSON.stringify({ rss: Deno.memoryUsage().rss, ...memory })}`);
}
