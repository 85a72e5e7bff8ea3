/** Channel alignment under several weights of the eigen-constraint and seeds, scored on held-out images. */
import { createHash } from "node:crypto";
import { alignData } from "../align/data.ts";
import { hashOfModules } from "../data/files/code_hash.ts";
import { predictResponses } from "../align/model.ts";
import { trainAlign } from "../align/train.ts";
import { fitSpace } from "../align/space.ts";
import { brainScore } from "../align/brain_score.ts";
import { alignCheckpoint, loadAlign, saveAlign, type SavedAlign } from "../data/fits/align_file.ts";
import { type Gpu, trim } from "../gpu/mod.ts";
import type { BrainData } from "./brain_data.ts";
import { isThere } from "../data/files/plain_file.ts";
import { mapConcurrently } from "../data/files/map_concurrently.ts";
import type { AlignOptions } from "../align/train_options.ts";

/** How slots are brought into one space: `fitSpace`'s ridge regressions, or the paper's training with its weights. */
export const ALIGNMENTS = ["ridge", "paper"] as const;

/** Settings of `trainAlign`, or "ridge" for `fitSpace` with its own, or that as the start of METHOD (10), "ridge trained on". */
export type Alignment = AlignOptions | "ridge" | "ridge trained on";

/** METHOD (10) from a space that was fitted, with a weight of each slot's own target that keeps it near. */
const TRAINED_ON: AlignOptions = { targetWeight: 30, rate: 3e-4, decay: 0, seed: 0 };

/** METHOD (10) as in the paper. */
const PAPER_ALIGN: AlignOptions = { eigenWeight: 1, zeroWeight: 0.01, covarianceWeight: 0.01, seed: 0 };

/** What an alignment's name stands for. */
export function alignmentOf(name: typeof ALIGNMENTS[number]): Alignment {
  return name === "ridge" ? name : PAPER_ALIGN;
}

/** Mean r and normalised r of a prediction. */
export interface Score {
  /** Over all voxels. */
  r: number;
  voxels: Float32Array;
  /** By region. */
  rois: Record<string, { r: number; normalized?: number }>;
}

/** Scores a prediction of the test images' responses. */
export function scoreOf(
  { test, rois, noiseCeiling }: BrainData,
  predicted: BrainData["test"]["responses"],
): Score {
  const found = brainScore(predicted, test.responses, { rois, noiseCeiling });
  return {
    r: found.mean,
    voxels: Float32Array.from(found.r),
    rois: Object.fromEntries(
      [...found.rois].map(([name, { mean, normalized }]) => [name, { r: mean, normalized }]),
    ),
  };
}

/** What trains and keeps an alignment. */
export const ALIGN_CODE = [
  "src/align/train.ts",
  "src/align/space.ts",
  "src/align/data.ts",
  "src/data/fits/align_file.ts",
];

/** Digests of what alignments are trained on, by where it is in memory: every one of them asks for it. */
const digests = new WeakMap<BrainData["training"], string>();

function digestOf(training: BrainData["training"]): string {
  const known = digests.get(training);
  if (known) return known;
  const hash = createHash("sha256");
  for (const { data } of [training.pooled, training.responses, ...training.tokens]) {
    hash.update(bytesOf(data));
  }
  const digest = hash.digest("hex");
  digests.set(training, digest);
  return digest;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Where an alignment of these data and options, by this code, is kept, and the hash of all of them. */
export async function alignFile(
  cacheDir: string,
  data: BrainData,
  options: Alignment,
): Promise<{ path: string; key: string }> {
  const ceilings = typeof options === "string" && data.noiseCeiling;
  const of = [await hashOfModules(ALIGN_CODE), data.slots, options, digestOf(data.training)];
  const hash = createHash("sha256").update(JSON.stringify(of));
  if (ceilings) hash.update(bytesOf(ceilings));
  const key = hash.digest("hex").slice(0, 16);
  return { path: `${cacheDir}/align-${key}.arrow`, key };
}

/**
 * Fits or trains an alignment, or reads the one that an earlier run has left; a stopped training goes on after its last epoch.
 *
 * @param options of `trainAlign`, plain values, or "ridge"
 * @param onProgress called with the epochs done, or the slots, of how many
 * @returns the alignment and where it is kept
 */
export async function alignOf(
  gpu: Gpu,
  data: BrainData,
  options: Alignment,
  cacheDir: string,
  onProgress?: (done: number, total: number, note?: string) => void,
): Promise<SavedAlign & { path: string }> {
  const { path, key } = await alignFile(cacheDir, data, options);
  const finished = await isThere(path)
    ? await loadAlign(path).catch((error) => console.error(`${error.message} It is trained again now.`))
    : null;
  if (finished) return { ...finished, path };
  await Deno.mkdir(cacheDir, { recursive: true });
  const { slots, training } = data;
  if (options === "ridge") {
    const { model, ...space } = await fitSpace(gpu, slots, training.pooled, training.responses, {
      noiseCeiling: data.noiseCeiling,
      onProgress,
    });
    trim(gpu);
    const saved = { model, space, history: [], options: optionsOf(options) };
    await saveAlign(path, saved);
    return { ...saved, path };
  }
  const settings = options === "ridge trained on"
    ? { ...TRAINED_ON, start: (await alignOf(gpu, data, "ridge", cacheDir)).model }
    : options;
  const unfinished = `${path}.training`;
  const trained = await trainAlign(
    gpu,
    alignData(slots, training.pooled, training.responses, training.tokens),
    {
      ...settings,
      checkpoint: alignCheckpoint(unfinished, key),
      onEpoch: ({ epoch, validation }, epochs) =>
        onProgress?.(epoch, epochs, `validation loss ${validation.toFixed(4)}`),
    },
  );
  trim(gpu);
  const saved = { model: trained.model, history: trained.history, options: optionsOf(options) };
  await saveAlign(path, saved);
  await Deno.remove(unfinished).catch(() => {}); // another run that trained the same may have
  return { ...saved, path };
}

/** As a file keeps them. */
function optionsOf(options: Alignment): Record<string, unknown> {
  return typeof options === "string" ? { alignment: options } : { ...options };
}

/** One weight of the eigen-constraint over seeds. */
export interface Condition {
  lambda: number;
  /** One a seed. */
  scores: Score[];
  /** Mean L_eigen over the last epoch's samples, one a seed. */
  eigen: number[];
}

/** Trainings side by side: while one waits for the device, the other records. */
const LANES = 2;

/** The weights of the paper's Table 1. */
export const LAMBDAS = [0, 0.1, 1] as const;

function conditionOptions(seeds: number): { eigenWeight: number; seed: number }[] {
  return LAMBDAS.flatMap((eigenWeight) =>
    Array.from({ length: seeds }, (_, seed) => ({ eigenWeight, seed }))
  );
}

/**
 * Scores every weight and seed.
 *
 * @param onProgress called with how many trainings are done, of how many
 */
export async function alignConditions(
  gpu: Gpu,
  data: BrainData,
  seeds: number,
  cacheDir: string,
  onProgress?: (done: number, total: number, note: string) => void,
): Promise<Condition[]> {
  const jobs = conditionOptions(seeds);
  let done = 0;
  const scored = await mapConcurrently(jobs.length, LANES, async (job) => {
    const options = jobs[job], note = `λ ${options.eigenWeight}, seed ${options.seed}`;
    let before = 0;
    const progress = (share: number) => {
      done += share - before;
      before = share;
      onProgress?.(done, jobs.length, note);
    };
    const { model, history } = await alignOf(
      gpu,
      data,
      options,
      cacheDir,
      (epoch, all) => progress(epoch / all),
    );
    const score = scoreOf(data, await predictResponses(gpu, model, data.test.pooled));
    progress(1);
    return { score, eigen: history.at(-1)!.eigen };
  });
  return LAMBDAS.map((lambda, i) => {
    const own = scored.slice(i * seeds, (i + 1) * seeds);
    return { lambda, scores: own.map(({ score }) => score), eigen: own.map(({ eigen }) => eigen) };
  });
}
