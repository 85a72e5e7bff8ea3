/**
 * The folder of a run on Slurm that never ran, to time `./run status` and `--resume`: `fake_run.ts DIR IMAGES [TASKS]`.
 *
 * It has what a run of three models of 12 layers leaves where all is done but the reports and, of extract, propagate and
 * colors, what the last task makes: plan, notes and manifests as they are written, and files of one byte in the place of
 * features, eigenvectors and colors.
 */
import { basename, dirname } from "node:path";
import { shardName, shardRanges } from "../../src/data/features/feature_shards.ts";
import { datasetFiles, fileBatches, imagesPerFile } from "../../src/data/features/node_dataset.ts";
import { extractUnits, type SlurmPlan, writePlan } from "../../tasks/slurm/plan.ts";
import { writeJobs } from "../../tasks/slurm/run_state.ts";
import type { SizesByFolder } from "../../src/data/files/file_look.ts";
import { type Step, STEPS } from "../../tasks/slurm/steps.ts";
import { type TaskNote, writeNote } from "../../tasks/slurm/task_note.ts";

const MODELS = ["a", "b", "c"], LAYERS = 12, TOKENS = 197, SHA256 = "0".repeat(64);

/** Writes it. @returns its plan, and how many files of features, eigenvectors and colors there are */
export async function writeFakeRun(folder: string, images: number, tasks: number) {
  const ranges = shardRanges(images, imagesPerFile(images));
  const counts: Record<Step, number> = {
    ...Object.fromEntries(STEPS.map((step) => [step, 1])) as Record<Step, number>,
    extract: Math.min(tasks, MODELS.length * ranges.length),
  };
  for (const step of ["landmarks", "affinities", "products", "propagate", "colors"] as const) {
    counts[step] = tasks;
  }
  const plan: SlurmPlan = {
    format: 1,
    args: ["--limit", String(images)],
    typed: ["--slurm", "--limit", String(images)],
    cwd: folder,
    folder,
    identity: "",
    features: MODELS.map((model) => `${folder}/features-${model}-0123456789abcdef`),
    ranges,
    tasks: { ...counts, evaluate: Math.min(12, tasks) },
    site: { arraySize: tasks, attempts: 3, restarts: 3, setup: [], options: {} },
  };
  await writePlan(plan);
  let files = 0;
  const folders = new Set<string>();
  const write = (path: string, text: string) => {
    const above = dirname(path);
    if (!folders.has(above)) Deno.mkdirSync(above, { recursive: true });
    folders.add(above);
    Deno.writeTextFileSync(path, text);
  };
  const file = (path: string) => {
    write(path, "x");
    files++;
  };
  /** Of tasks that make parts, what their notes have. */
  const parts = Object.fromEntries(STEPS.map((step) => [step, [] as SizesByFolder[]])) as Record<
    Step,
    SizesByFolder[]
  >;
  const part = (made: SizesByFolder, folder: string, path: string, text: string) => {
    write(`${folder}/${path}`, text);
    (made[dirname(path)] ??= {})[basename(path)] = text.length;
  };
  for (let index = 0; index < plan.tasks.extract - 1; index++) {
    for (const { model, range } of extractUnits(plan, index)) {
      const out = plan.features[model], name = shardName(range);
      const layers = Array.from({ length: LAYERS }, (_, l) => {
        const path = `${out}/${MODELS[model]}.L${String(l + 1).padStart(2, "0")}`;
        file(`${path}/${name}`);
        const shard = { path: `${path}/${name}`, ...range, bytes: 1, sha256: SHA256 };
        return { layer: l + 1, path, tensor: `/blocks.${l}/attn/proj/Add_output_0`, shards: [shard] };
      });
      const manifest = { model: MODELS[model], modelSha256: SHA256, layers, images: [] };
      write(`${out}/parts/${name.replace(".arrow", ".json")}`, JSON.stringify(manifest, null, 2));
    }
  }
  const slots = MODELS.flatMap((model) =>
    Array.from(
      { length: LAYERS },
      (_, l) => ({ model, layer: l + 1, first: 0, rows: images * TOKENS, tokens: TOKENS }),
    )
  );
  const batches = fileBatches(datasetFiles(slots));
  for (const [step, dataset] of [["propagate", "eigenvectors"], ["colors", "colors"]] as const) {
    const stage = `${folder}/${step}`;
    for (let index = 0; index < tasks - 1; index++) {
      const made: SizesByFolder = {};
      for (const at of batches.keys().filter((at) => at % tasks === index)) {
        for (const { path } of batches[at]) part(made, stage, `${dataset}/${path}`, "x");
        files += batches[at].length;
        const note = batches[at].map(({ path }) => [path, { bytes: 1, sha256: SHA256 }]);
        const name = `parts/${dataset}/${String(at).padStart(4, "0")}.json`;
        part(made, stage, name, JSON.stringify(Object.fromEntries(note)));
      }
      parts[step].push(made);
    }
  }
  for (const step of ["landmarks", "affinities", "products"] as const) {
    for (let index = 0; index < tasks; index++) {
      const name = `parts/${step}/${String(index).padStart(12, "0")}`, made: SizesByFolder = {};
      part(made, `${folder}/propagate`, `${name}.npy`, "x");
      part(made, `${folder}/propagate`, `${name}.json`, JSON.stringify({ sha256: SHA256, bytes: 1 }));
      parts[step].push(made);
    }
  }
  const jobs: Record<string, { id: string; tasks: number[] }[]> = {};
  for (const [at, step] of STEPS.entries()) {
    if (step === "reports") continue;
    const all = Array.from({ length: plan.tasks[step] }, (_, index) => index);
    jobs[step] = [{ id: String(100 + at), tasks: all }];
    const isLastMissing = ["extract", "propagate", "colors"].includes(step);
    for (const index of isLastMissing ? all.slice(0, -1) : all) {
      const usage = { seconds: 80 + index % 7, peakMb: 400, gpuMb: 7 };
      const note: TaskNote = {
        step,
        index,
        state: "done",
        node: `n${index % 100}`,
        started: 1e12,
        ...usage,
        folder: step === "colors" ? `${folder}/colors` : `${folder}/propagate`,
        ...(parts[step].length > 0 ? { parts: parts[step][index] } : { files: [] }),
        ...(step === "extract" &&
          { shards: extractUnits(plan, index).map((unit) => ({ ...unit, ...usage })) }),
      };
      await writeNote(plan, note);
    }
  }
  await writeJobs(plan, jobs);
  return { plan, files };
}

if (import.meta.main) {
  const [dir, images, tasks] = Deno.args;
  const { plan, files } = await writeFakeRun(dir, Number(images), Number(tasks ?? 2048));
  console.log(
    `${plan.folder}: ${files} files, ${plan.features.length * plan.ranges.length} ranges of a model`,
  );
}
