/** What a task runs on: the synthetic dataset and the built-in models, or data and models of one's own, opened the same way. */
import type { ScoredData } from "../../src/experiments/brain_score/compute.ts";
import { basename } from "node:path";
import { type DATA_OPTIONS, foldersOf } from "../../src/cli/data_options.ts";
import type { OptionValues } from "../../src/cli/option_kinds.ts";
import type { DataFolders } from "../../src/data/datasets/data_parts.ts";
import {
  dataTableText,
  hasSubject,
  openData,
  type OpenedData,
  type PlannedData,
} from "../../src/data/datasets/open_data.ts";
import { type BrainData, type BrainDataOptions, readBrainData } from "../../src/pipeline/brain_data.ts";
import { REGIONS } from "../../src/pipeline/regions.ts";
import {
  datasetFolder,
  embeddedModels,
  hasDataset,
  isOfDataset,
  SCENES,
  subjectOf,
  syntheticDataset,
  vocOf,
} from "../../src/synthetic/dataset.ts";
import { hashesByName } from "../../src/data/files/file_hashes.ts";
import { listImages } from "../../src/data/images/image.ts";
import { report, skippedLines } from "../../src/data/files/skipped.ts";
import type { Subject } from "../../src/data/datasets/subject.ts";
import type { SyntheticDataset } from "../../src/synthetic/write_dataset.ts";
import { folderImages, type RunImage, viewed } from "../../src/pipeline/images.ts";
import { openRunModels, type RunModel, type Taken } from "../../src/pipeline/models.ts";
import { EMBEDDED, SIMULATED, SYNTHETIC_FOLDER } from "../../src/experiments/shared/run_data.ts";
import { NotFinished } from "../../src/data/cache/stages.ts";
import { runStage, type Tick } from "./stage.ts";

/** Training scenes of the simulated subject with `--quick`. */
const QUICK_SCENES = 120;

/** Data and models that were asked for. */
export interface Asked extends Taken {
  /** By kind. */
  folders: DataFolders;
  /** As of `openKnownModel`; none for the built-in ones. */
  models: string[];
}

/** Data and models that options name. */
export function askedOf(options: OptionValues<typeof DATA_OPTIONS>): Asked {
  const { model, hook, stride, extract } = options;
  return {
    folders: foldersOf(options),
    models: model,
    ...(hook && { hook }),
    ...(stride && { stride }),
    ...(extract && { extract }),
  };
}

/** What a task runs on. */
export interface RunData extends Pick<ScoredData, "models" | "isOneGrid" | "classes"> {
  /** The synthetic dataset, where nothing else was given; its files are opened like anyone's. */
  dataset: { plan: SyntheticDataset; folder: string } | null;
  /** Photographs of the graph, as the models see them; of a plan those that were chosen, with gaps for the others. */
  images: RunImage[];
  /** Of the names of all, where there are gaps. */
  imagesSha256?: string;
  /** As opened, for a plan. */
  opened: Pick<OpenedData, "keys" | "table" | "listed">;
  /** Photographs that are not in the graph, with classes. */
  further: RunImage[];
  /** The subject's training split. */
  subject: Subject;
  /** Distinguishes photographs, and their view, from others of the same names: for what depends on pixels only. */
  imagesKey: string;
  /** Distinguishes what is known beside the pixels, and the subject, from others: for results of experiments. */
  labelsKey: string;
  /** What it is, for people. */
  name: string;
  /** Features and responses for channel alignment. */
  readBrain(
    cacheDir: string,
    onProgress: Tick,
    options?: Pick<BrainDataOptions, "cells" | "limit" | "explain"> & { models?: RunModel[] },
  ): Promise<BrainData>;
  close(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Opens data and models. What is not given is the synthetic dataset's: its simulated subject where there is no subject, its scenes
 * where there are neither photographs nor a subject. Data of one's own are listed in a table.
 *
 * @param limit photographs of each kind
 * @param cache folder that the synthetic dataset's is in
 * @param masks folder of masks of `folders.images`, NAME.png for NAME.jpg, white where the figure is
 * @param ownPatches as of `openRunModels`
 * @param planned as of `openData`
 * @param explain make nothing: a dataset that is not there is an error, `NotFinished`
 * @param timings seconds by stage, added to
 * @throws Error one sentence that names the file or folder that cannot be used
 */
export async function openRunData(
  { folders, models, hook, stride, extract }: Asked,
  { limit, quick, cache, timings, masks, ownPatches, planned, explain = false }: {
    limit?: number;
    quick: boolean;
    masks?: string;
    ownPatches?: boolean;
    planned?: PlannedData;
    explain?: boolean;
    cache: string;
    timings: Record<string, number>;
  },
): Promise<RunData> {
  const given = Object.keys(folders).length > 0;
  // What was given is looked for before a dataset is rendered.
  for (const path of Object.values(folders)) {
    if (!await Deno.stat(path).catch(() => null)) throw new Error(`There is no folder ${path}.`);
  }
  const { models: runModels, view, patch, table, isOneGrid } = await openRunModels(
    models.length > 0 ? models : embeddedModels(),
    { hook, stride, extract },
    ownPatches,
  );
  const scenes = quick ? QUICK_SCENES : SCENES;
  if (!hasSubject(folders) && explain && !await hasDataset(scenes, cache)) {
    throw new NotFinished("synthetic dataset", `its ${scenes} scenes are not there as this code makes them`);
  }
  const dataset = hasSubject(folders)
    ? null
    : await runStage(timings, "synthetic dataset", (tick) => syntheticDataset(scenes, cache, tick));
  const own: DataFolders = dataset
    ? { algonauts: subjectOf(dataset, cache), ...(given ? {} : { voc: vocOf(dataset, cache) }) }
    : {};
  const open = (onProgress?: Tick) =>
    openData({ ...own, ...folders }, limit, { cache, explain, onProgress }, planned);
  const data = folders.nsd === undefined ? await open() : await runStage(timings, "betas", open);
  if (given || models.length > 0) {
    console.error(dataTableText(given ? [...data.table, ...table] : table));
  }
  const subject = data.subject!.training, unnamed = unnamedRegions(subject.rois);
  if (unnamed.length > 0) report(`left out of results by region, which none names: ${unnamed.join(", ")}`);
  for (const line of skippedLines()) console.error(line);
  return {
    dataset: given || !dataset
      ? null
      : { plan: dataset, folder: datasetFolder(dataset.training.count, cache) },
    models: runModels,
    isOneGrid,
    images: viewed(masks ? await folderImages(folders.images!, masks, limit) : data.images, view, patch),
    further: viewed(data.further, view, patch),
    classes: data.classes ?? [],
    ...(planned && { imagesSha256: planned.namesSha256 }),
    opened: { keys: data.keys, table: data.table, listed: data.listed },
    subject,
    imagesKey: `${data.keys.images} ${JSON.stringify(view)}`,
    labelsKey: `${data.keys.subject} ${data.keys.labels}${masks ? ` ${await hashOfMasks(masks)}` : ""}`,
    name: given ? await nameOf(folders, data.subjectName) : EMBEDDED,
    readBrain: (cacheDir, onProgress, { models = runModels, ...options } = {}) =>
      readBrainData({
        subject: data.subject!,
        models,
        view,
        cacheDir,
        seed: 0,
        onProgress,
        ...options,
        imagesKey: `${data.keys.subject} ${JSON.stringify(view)}`,
      }),
    close: data.close,
    [Symbol.dispose]: data.close,
  };
}

/** Names and hashes of a folder's masks. */
async function hashOfMasks(folder: string): Promise<string> {
  return JSON.stringify(await hashesByName(await listImages(folder)));
}

/** Regions of a subject that are neither of those that results are given by, nor a part of one (V1v, FFA-1). */
export function unnamedRegions(rois: ReadonlyMap<string, { length: number }>): string[] {
  const isNamed = (name: string) =>
    REGIONS.some((region) => name.replace(/^h(?=V4)|-\d$|[vd]$/g, "") === region);
  return [...rois].filter(([name, { length }]) => length > 0 && !isNamed(name)).map(([name]) => name).sort();
}

/** The folders without where they are; those of a synthetic dataset are called so. */
async function nameOf(folders: DataFolders, subject?: string): Promise<string> {
  const names = await Promise.all(
    Object.entries(folders).map(async ([kind, path]) =>
      `${kind} ${kind === "nsd" ? subject : basename(path)}${await isOfDataset(path) ? SYNTHETIC_FOLDER : ""}`
    ),
  );
  return [...names, ...(hasSubject(folders) ? [] : [SIMULATED])].join(", ");
}
