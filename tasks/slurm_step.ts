/** One task of a stage on Slurm: `slurm_step.ts STEP PLAN.json [INDEX]`, started by the scripts of `--slurm`. */
import { closeGpu, type Gpu } from "../mod.ts";
import { type FeatureManifest, readExtracted } from "../src/data/extract.ts";
import { openStages, type Stages } from "../src/data/stages.ts";
import { peakResidentMb } from "../src/experiments/peak_memory.ts";
import { type FeatureStage, featureStages, graphInputs } from "../src/experiments/pipeline.ts";
import { findCandidates, fitGraph, propagateRange } from "../src/experiments/solve_graph.ts";
import { openRunData } from "./open_data.ts";
import { openPipeline, pipelineOptions, readPipelineFlags, runSettings } from "./open_pipeline.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import { runTask } from "./read_flags.ts";
import { EXPERIMENT_NAMES, reproduceAll, runExperiments } from "./reproduce_all.ts";
import { extractUnits, readPlan, type SlurmPlan, type Step, STEPS } from "./slurm/plan.ts";
import { identityOf } from "./slurm/submit.ts";
import { type TaskNote, writeNote } from "./slurm/task_note.ts";
import { writeUsagePage } from "./slurm/usage_page.ts";

/** What a task has found out about itself. */
type Found = Partial<Pick<TaskNote, "folder" | "gpuMb">>;

const RUN: Record<Step, (plan: SlurmPlan, index: number) => Promise<Found>> = {
  async extract(plan, index) {
    const { features, close } = await openFeatures(plan);
    const failures: string[] = [];
    try {
      for (const { model, range } of extractUnits(plan, index)) {
        try {
          await features[model].extractRange(plan.features[model], range);
        } catch (error) {
          failures.push(error instanceof Error ? error.message : String(error));
        }
      }
    } finally {
      close();
    }
    if (failures.length > 0) throw new Error(failures.join(" "));
    return {};
  },
  align: (plan) => onGraph(plan, () => Promise.resolve()),
  landmarks: (plan, index) =>
    onGraph(plan, async ({ gpu, stages, features, options, folder }) => {
      const manifests = await wholeFeatures(stages, features);
      await findCandidates(gpu, folder, manifests, options, index, plan.tasks.landmarks);
    }),
  fit: (plan) =>
    onGraph(plan, async ({ gpu, stages, features, options, folder }) => {
      const manifests = await wholeFeatures(stages, features);
      await fitGraph(gpu, folder, manifests, options);
    }),
  propagate: (plan, index) =>
    onGraph(plan, async ({ gpu, options, folder }) => {
      const manifests = await Promise.all(plan.features.map(readExtracted));
      await propagateRange(gpu, folder, manifests, options, index, plan.tasks.propagate);
    }),
  async map(plan) {
    const open = await openPipeline("reproduce", readOptions(plan), plan.typed);
    open!.close();
    return { gpuMb: megabytes(open!.gpu.memory.peak) };
  },
  async evaluate(plan, index) {
    const names = EXPERIMENT_NAMES.filter((_, at) => at % plan.tasks.evaluate === index);
    const peak = await runExperiments(readOptions(plan), names, `${plan.folder}/pages/evaluate-${index}`);
    return { gpuMb: megabytes(peak) };
  },
  async reports(plan) {
    const read = readOptions(plan);
    const slurm = await writeUsagePage(plan, runSettings(read.flags).out);
    await reproduceAll(read, plan.typed, { slurm });
    return {};
  },
};

function readOptions({ args }: SlurmPlan) {
  return readPipelineFlags([], [], args)!;
}

async function openFeatures(plan: SlurmPlan) {
  const { flags, asked } = readOptions(plan), settings = runSettings(flags);
  const data = await openRunData(asked, { ...settings, timings: {} });
  const features = await featureStages({ ...settings, ...data });
  if (identityOf(features, data.truth) !== plan.identity) {
    data.close();
    throw new Error(
      `Data or models of ${plan.folder} have changed since it was submitted: submit again.`,
    );
  }
  return { settings, data, features, close: data.close };
}

/** The manifests of all models' features, joined from those of their ranges by whoever comes first. */
async function wholeFeatures(stages: Stages, features: FeatureStage[]): Promise<FeatureManifest[]> {
  const manifests = [];
  for (const { name, input, extract } of features) {
    const folder = await stages.run(name, input, async (folder) => void await extract(folder));
    manifests.push(await readExtracted(folder!));
  }
  return manifests;
}

/** The align, trained where it is not there yet, and the folder of the stage "eigenvectors". */
async function onGraph(
  plan: SlurmPlan,
  work: (
    open: {
      gpu: Gpu;
      stages: Stages;
      features: FeatureStage[];
      options: Awaited<ReturnType<typeof pipelineOptions>>;
      folder: string;
    },
  ) => Promise<void>,
): Promise<Found> {
  const { settings, data, features, close } = await openFeatures(plan);
  const gpu = await openTaskGpu(settings.adapter, settings.cache);
  try {
    const options = await pipelineOptions(gpu, data, settings, {});
    const stages = openStages(`${settings.cache}/runs`);
    const folder = await stages.folder("eigenvectors", graphInputs(features, options));
    await work({ gpu, stages, features, options, folder });
    return { folder: await Deno.realPath(folder), gpuMb: megabytes(gpu.memory.peak) };
  } finally {
    closeGpu(gpu);
    close();
  }
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
    const seconds = (Date.now() - started) / 1000, peakMb = await peakResidentMb();
    await writeNote(plan, { step, index, state, node, started, seconds, peakMb, gpuMb: 0, ...more });
  };
  await note("running");
  try {
    await note("done", await RUN[step](plan, index));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await note("failed", { error: message });
    throw error;
  }
});
