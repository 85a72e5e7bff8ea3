/** One task of a stage on Slurm: `slurm_step.ts STEP PLAN.json [INDEX]`, started by the scripts of `--slurm`. */
import type { Gpu } from "../mod.ts";
import { memoizedFiles } from "../src/data/cache/memoize.ts";
import { openStages, type Stages } from "../src/data/cache/stages.ts";
import { peakResidentMb } from "../src/experiments/shared/peak_memory.ts";
import { type FeatureStage, featureStages, graphInputs, mapInputs } from "../src/pipeline/pipeline.ts";
import { makeColorBatches, makeMap } from "../src/pipeline/spectral_stages.ts";
import {
  findCandidates,
  fitGraph,
  propagateRange,
  solveGraph,
  sumBlocksOf,
} from "../src/pipeline/solve_graph.ts";
import { parseOptions, runTask } from "../src/cli/options.ts";
import { askedOf, openRunData } from "./shared/open_data.ts";
import { pipelineOptions } from "./shared/graph_options.ts";
import { PIPELINE_OPTIONS } from "./shared/options.ts";
import { type RunSettings, runSettings } from "./shared/run_settings.ts";
import { openTaskGpu } from "./shared/open_task_gpu.ts";
import type { ImageRange } from "../src/data/features/feature_shards.ts";
import { evaluationImages } from "../src/pipeline/evaluation.ts";
import { plannedData } from "./slurm/image_list.ts";
import { extractUnits, identityOf, readPlan, type SlurmPlan } from "./slurm/plan.ts";
import { assertInputs } from "./slurm/inputs.ts";
import { resultFiles, type TaskNote, type Usage, writeNote } from "./slurm/task_note.ts";
import { type Step, STEPS } from "./slurm/steps.ts";
import { type FeatureManifest, readHeader } from "../src/data/features/extract_parts.ts";

/** Pages and charts take long to load: only by the stages that need them. */
const experiments = () => import("./reproduce_all.ts");

/** What a task has found out about itself. */
type Found = Partial<Pick<TaskNote, "folder" | "files" | "parts" | "gpuMb" | "shards">>;

const RUN: Record<Step, (plan: SlurmPlan, index: number) => Promise<Found>> = {
  async extract(plan, index) {
    const ranges = extractUnits(plan, index).map(({ range }) => range);
    const { features, data } = await openFeatures(plan, numbersOf(ranges));
    using _data = data;
    const failures: string[] = [], shards: TaskNote["shards"] = [];
    for (const unit of extractUnits(plan, index)) {
      const { model, range } = unit, started = Date.now();
      try {
        await features[model].extractRange(plan.features[model], range);
        shards.push({ ...unit, ...usageSince(started) });
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    if (failures.length > 0) throw new Error(failures.join(" "));
    return { shards };
  },
  align: (plan) =>
    onGraph(
      plan,
      ({ options, settings }) => Promise.resolve([`${settings.cache}/align/align-${options.alignKey}.arrow`]),
    ),
  landmarks: (plan, index) =>
    onGraph(plan, async (open) => {
      const share = { task: index, tasks: plan.tasks.landmarks };
      return { parts: await findCandidates(await wholeGraph(open), share) };
    }),
  affinities: (plan, index) => sums(plan, "affinities", index),
  products: (plan, index) => sums(plan, "products", index),
  fit: (plan) =>
    onGraph(plan, async (open) => {
      await fitGraph(await wholeGraph(open));
      return [`${open.folder}/fit.arrow`];
    }),
  propagate: (plan, index) =>
    onGraph(plan, async ({ gpu, options, folder }) => {
      const manifests = await Promise.all(plan.features.map(readHeader));
      const share = { task: index, tasks: plan.tasks.propagate };
      return { parts: await propagateRange({ gpu, folder, manifests, options }, share) };
    }),
  map: (plan) =>
    onGraph(plan, async (open) => {
      const { stages } = open, { graph, map } = await stagesOf(open);
      const whole = await wholeGraph(open), { gpu, manifests, options } = whole;
      const cut = await stages.run("eigenvectors", graph, (folder) => solveGraph({ ...whole, folder }));
      const made = await stages.run("map", map, (folder) => makeMap(gpu, folder, cut!, manifests, options));
      const names = ["points2.npy", "points3.npy", "sample.npy", "vectors.npy", "map.json"];
      return [
        `${cut}/eigenvectors.json`,
        ...names.map((name) => `${made}/${name}`),
      ];
    }),
  colors: (plan, index) =>
    onGraph(plan, async (open) => {
      const { stages, folder: cut } = open, { map: inputs } = await stagesOf(open);
      const { gpu, manifests } = await wholeGraph(open), map = await stages.folder("map", inputs);
      const folder = await stages.folder("colors", inputs), share = { task: index, tasks: plan.tasks.colors };
      const parts = await makeColorBatches(gpu, folder, { cut, map, manifests }, share);
      return { folder, parts };
    }),
  async evaluate(plan, index) {
    const { EXPERIMENT_NAMES, runExperiments } = await experiments();
    const names = EXPERIMENT_NAMES.filter((_, at) => at % plan.tasks.evaluate === index);
    await Deno.mkdir(`${plan.folder}/pages`, { recursive: true });
    const pages = await Deno.makeTempDir({ dir: `${plan.folder}/pages`, prefix: `evaluate-${index}-` });
    const peak = await runExperiments(readOptions(plan), names, pages, await evaluatedData(plan));
    return { gpuMb: megabytes(peak), files: await resultFiles(memoizedFiles()) };
  },
  async reports(plan) {
    const read = readOptions(plan);
    const { reproduceAll } = await experiments();
    const { writeUsagePage } = await import("./slurm/usage_page.ts");
    const { out } = read.options, slurm = await writeUsagePage(plan, out);
    await reproduceAll(read, plan.typed, { slurm }, { planned: await evaluatedData(plan) });
    return { files: await resultFiles([slurm, `${out}/index.html`, `${out}/results.json`]) };
  },
};

function sums(plan: SlurmPlan, step: "affinities" | "products", index: number): Promise<Found> {
  return onGraph(plan, async (open) => {
    const share = { task: index, tasks: plan.tasks[step] };
    return { parts: await sumBlocksOf(await wholeGraph(open), step, share) };
  });
}

/** The photographs that experiments look at. */
async function evaluatedData(plan: SlurmPlan) {
  const { evaluated, seed } = runSettings(readOptions(plan)), { count } = plan.images ?? { count: 0 };
  return await plannedData(plan, evaluationImages(count, evaluated, seed));
}

function readOptions({ args }: SlurmPlan) {
  return parseOptions(PIPELINE_OPTIONS, args)!;
}

/** Numbers of the first image, which gives the shape, and of those of some ranges, ascending. */
function numbersOf(ranges: readonly ImageRange[]): number[] {
  const all = new Set([0]);
  for (const { first, count } of ranges) for (let i = 0; i < count; i++) all.add(first + i);
  return [...all].sort((a, b) => a - b);
}

/**
 * Data and models as the plan has them, each hash in the plan compared again but those of photographs.
 *
 * @param numbers of the photographs that are looked at: these are compared when they are read
 */
async function openFeatures(plan: SlurmPlan, numbers: readonly number[] = []) {
  const parsed = readOptions(plan), settings = runSettings(parsed);
  const planned = await plannedData(plan, numbers);
  const data = await openRunData(askedOf(parsed.options), { ...settings, planned, timings: {} });
  const features = await featureStages({ ...settings, ...data });
  if (identityOf(features, data.labelsKey) !== plan.identity) {
    data.close();
    throw new Error(
      `Data, models or code of ${plan.folder} have changed since it was submitted: submit again.`,
    );
  }
  return { settings, data, features };
}

/** With the manifests of all models' features, joined from those of their ranges by whoever comes first. */
async function wholeGraph({ gpu, stages, features, options, folder }: OpenGraph) {
  const manifests: FeatureManifest[] = [];
  for (const { name, input, extract } of features) {
    const at = await stages.run(name, input, async (folder) => void await extract(folder));
    manifests.push(await readHeader(at!));
  }
  return { gpu, folder, manifests, options };
}

/** Inputs of the stages "eigenvectors" and "map". */
async function stagesOf({ features, options }: OpenGraph) {
  const graph = await graphInputs(features, options);
  return { graph, map: await mapInputs(graph, options) };
}

/** What tasks on the graph have open. */
interface OpenGraph {
  gpu: Gpu;
  settings: RunSettings;
  stages: Stages;
  features: FeatureStage[];
  options: Awaited<ReturnType<typeof pipelineOptions>>;
  /** Of the stage "eigenvectors". */
  folder: string;
}

/** The alignment, trained where it is not there yet, and the folder of the stage "eigenvectors"; `work` says which files are its result. */
async function onGraph(
  plan: SlurmPlan,
  work: (open: OpenGraph) => Promise<string[] | Pick<Found, "folder" | "parts">>,
): Promise<Found> {
  const { settings, data, features } = await openFeatures(plan);
  using _data = data;
  using gpu = await openTaskGpu(settings.adapter, settings.cache);
  const options = await pipelineOptions(gpu, data, settings, {});
  const stages = openStages(`${settings.cache}/runs`);
  const folder = await stages.folder("eigenvectors", await graphInputs(features, options));
  const made = await work({ gpu, settings, stages, features, options, folder });
  const found = Array.isArray(made) ? { files: await resultFiles(made) } : made;
  const noted = await Deno.realPath("folder" in found ? found.folder! : folder);
  return { ...found, folder: noted, gpuMb: megabytes(gpu.memory.peak) };
}

function usageSince(started: number): Usage {
  return { seconds: (Date.now() - started) / 1000, peakMb: peakResidentMb(), gpuMb: 0 };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

await runTask(async () => {
  const step = STEPS.find((step) => step === Deno.args[0]), index = Number(Deno.args[2] ?? 0);
  if (!step) throw new Error(`There is no stage "${Deno.args[0]}": give one of ${STEPS.join(", ")}.`);
  const plan = await readPlan(Deno.args[1]);
  const started = Date.now();
  const note = async (state: TaskNote["state"], more: Found & { error?: string } = {}) => {
    const node = Deno.env.get("SLURMD_NODENAME") ?? Deno.hostname();
    await writeNote(plan, { step, index, state, node, started, ...usageSince(started), ...more });
  };
  await note("running");
  try {
    await assertInputs(plan, step);
    await note("done", await RUN[step](plan, index));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await note("failed", { error: message });
    throw error;
  }
});
