/** `deno task brain-score`: channel align against its baselines on held-out images, with a report. */
import { createHash } from "node:crypto";
import { closeGpu, type Gpu, openGpu } from "../mod.ts";
import { assertWritable } from "../src/data/atomic_write.ts";
import { keptResult } from "../src/data/kept_result.ts";
import { alignConditions, alignOf, GRAPH_ALIGN, scoreOf } from "../src/experiments/align_conditions.ts";
import { predictResponses } from "../src/align/model.ts";
import { clusteringEffects, mixedNeighbors } from "../src/experiments/align_effect.ts";
import { type BrainData, firstImages, readBrainData } from "../src/experiments/brain_data.ts";
import { writeBrainScoreReport } from "../src/experiments/brain_score_report.ts";
import { embeddedModels, embeddedWorld, SCENES, subjectOf } from "../src/experiments/embedded_world.ts";
import type { World } from "../src/experiments/fixtures_world.ts";
import { perSlotScore, positionScores, ridgeScore } from "../src/experiments/encoder_baselines.ts";
import { type FigureFormat, figureFormats } from "../src/report/figure_files.ts";
import { peakResidentMb } from "../src/experiments/peak_memory.ts";
import { readFlags, runTask, wholeNumber } from "./read_flags.ts";
import { runStage, type Tick } from "./stage.ts";

const HELP = `deno task brain-score [options]

  --subject DIR     a subject in the layout of Algonauts 2023 (default: the embedded observer)
  --seeds N         trainings of each weight of the eigen-constraint (default: 5)
  --out DIR         where the report goes (default: reports/out)
  --figures LIST    every figure also as a file in DIR/figures: svg, png or svg,png (default: none)
  --cache DIR       where features and trained aligns are kept (default: .cache/align)
  --adapter KIND    hardware or software (default: hardware if there is one)
  --help            this text`;

const CACHE = new URL("../.cache/align", import.meta.url).pathname;
/** Scenes whose tokens are clustered. */
const CLUSTERED_SCENES = 6;
/** Scenes that nothing was trained or chosen on. */
const MIXED_SCENES = { first: 30_000, count: 100 };
/** Training images and cells a side of the measurement of position. */
const POSITION_IMAGES = 400, CELLS = 3;

/** What `runBrainScore` is to do. */
export interface BrainScoreOptions {
  gpu: Gpu;
  /** A subject's folder; absent: the embedded observer. */
  subject?: string;
  /** The embedded world, where there is no subject. */
  world?: World;
  seeds: number;
  out: string;
  cacheDir: string;
  /** Formats in which figures are also written as files. */
  figures?: readonly FigureFormat[];
  /** As typed, for the page. */
  command: string;
  /** Seconds by stage, added to. */
  timings: Record<string, number>;
}

/** Trains and scores all conditions and writes the report. @returns the path of the page */
export async function runBrainScore(options: BrainScoreOptions): Promise<string> {
  const { gpu, subject, world, seeds, out, cacheDir, command, timings } = options;
  const stage = <T>(name: string, work: (tick: Tick) => Promise<T>) =>
    runStage(timings, `brain-score ${name}`, work);
  const identity = world ? world.fingerprint : subject!, models = embeddedModels();
  const source = { subject: subject ?? subjectOf(world!), cacheDir, identity, seed: 0 };
  const data = await stage("features", (onProgress) => readBrainData({ ...source, models, onProgress }));
  const measure = () => measured({ gpu, data, source, models, seeds, cacheDir, world, stage });
  const inputs = { world: identity, slots: data.slots, pooled: hashOf(data.training.pooled), seeds };
  const found = world
    ? await keptResult(`${cacheDir}/../runs`, "brain-score", inputs, measure)
    : await measure();
  return await writeBrainScoreReport({
    ...found,
    ...{ out, figures: options.figures, gpu, timings, seed: 0, command },
    data: subject ?? "embedded",
    models: data.models,
    images: { training: data.training.images.length, test: data.test.images.length },
    voxels: Object.fromEntries([...data.rois].map(([name, voxels]) => [name, voxels.length])),
    peakRssMb: await peakResidentMb(),
  });
}

function hashOf({ data }: { data: Float32Array }): string {
  return createHash("sha256").update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).digest(
    "hex",
  );
}

/** What `measured` reads. */
interface Measuring {
  gpu: Gpu;
  data: BrainData;
  source: { subject: string; cacheDir: string; identity: string; seed: number };
  models: string[];
  seeds: number;
  cacheDir: string;
  world?: World;
  stage: <T>(name: string, work: (tick: Tick) => Promise<T>) => Promise<T>;
}

/** Trains and scores all conditions and baselines. */
async function measured({ gpu, data, source, models, seeds, cacheDir, world, stage }: Measuring) {
  const [conditions, dropped] = await stage("align", (tick) =>
    Promise.all([
      alignConditions(gpu, data, seeds, cacheDir, tick),
      alignOf(gpu, data, GRAPH_ALIGN, cacheDir),
    ]));
  const ridge = await stage("ridge", () => ridgeScore(gpu, data));
  const perSlot = await stage("no align", (tick) => perSlotScore(gpu, data, tick));
  const position = await stage("position", async (onProgress) => {
    const one = { ...source, models: models.slice(0, 1), limit: POSITION_IMAGES };
    const cells = await readBrainData({ ...one, cells: CELLS, onProgress });
    return await positionScores(
      gpu,
      firstImages(data, POSITION_IMAGES),
      cells,
      `${data.models[0]} L6`,
      CELLS,
    );
  });
  const aligns = {
    aligned: (await alignOf(gpu, data, { lambdaEigen: 1, seed: 0 }, cacheDir)).model,
    aligned_no_constraint: (await alignOf(gpu, data, { lambdaEigen: 0, seed: 0 }, cacheDir)).model,
  };
  const effects = world
    ? await stage("clusters", (tick) => clusteringEffects(gpu, models, aligns, CLUSTERED_SCENES, tick))
    : undefined;
  const mixable = { paper: aligns.aligned, dropped: dropped.model };
  const mixed = world && models.length > 1
    ? await stage("mixed graph", () => mixedNeighbors(gpu, models, mixable, MIXED_SCENES, 0))
    : undefined;
  const score = scoreOf(data, await predictResponses(gpu, dropped.model, data.test.pooled));
  return { conditions, ridge, perSlot, position, effects, mixed, dropped: score };
}

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, ["subject", "seeds", "out", "figures", "cache", "adapter"]);
    if (!flags) return console.log(HELP);
    const seeds = wholeNumber(flags, "seeds", 1, 100) ?? 5, out = String(flags.out || "reports/out");
    const figures = figureFormats(flags.figures as string | undefined);
    await assertWritable(out);
    const timings: Record<string, number> = {};
    const subject = flags.subject ? String(flags.subject) : undefined;
    const world = subject
      ? undefined
      : await runStage(timings, "world", (tick) => embeddedWorld(SCENES, tick));
    const gpu = await openGpu({ adapter: flags.adapter as "hardware" | "software" | undefined });
    try {
      const page = await runBrainScore({
        ...{ gpu, subject, world, seeds, out, figures, timings, cacheDir: String(flags.cache || CACHE) },
        command: ["deno task brain-score", ...Deno.args].join(" "),
      });
      console.error(`done: ${page}`);
    } finally {
      closeGpu(gpu);
    }
  });
}
