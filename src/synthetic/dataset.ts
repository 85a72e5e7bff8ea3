/** The synthetic dataset and the built-in models, made on first use. */
import { createHash } from "node:crypto";
import { createSubject } from "../../fixtures/subject/mod.ts";
import { holdFile, writeFileAtomic } from "../data/files/atomic_write.ts";
import { hashOfModules } from "../data/files/code_hash.ts";
import { brokenFiles, hashFiles } from "../data/files/file_hashes.ts";
import { CACHE_FOLDER } from "../data/files/project_folder.ts";
import { EMBEDDED_FOLDER } from "../data/models/known_models.ts";
import { isFile } from "../data/files/plain_file.ts";
import { planDataset, type SyntheticDataset, writeDataset } from "./write_dataset.ts";

/** The embedded vision transformers, in the order of their names. */
export function embeddedModels(): string[] {
  const names = [...Deno.readDirSync(EMBEDDED_FOLDER)].map(({ name }) => name).filter((name) =>
    name.endsWith(".onnx")
  );
  return names.sort().map((name) => `${EMBEDDED_FOLDER}/${name}`);
}

/** What a synthetic dataset depends on beside its plan. */
export const DATASET_CODE = ["src/synthetic/write_dataset.ts", "fixtures/subject/mod.ts"];
/** Notes, in a synthetic dataset's folder, the plan and the code that it is known to come from, and the hashes of its files. */
const MADE = "made.json", PLAN = "dataset.json";

/** Training scenes of the default dataset. */
export const SCENES = 1000;

/** Where a dataset of N training scenes is. */
export function datasetFolder(scenes: number, cache = CACHE_FOLDER): string {
  return scenes === SCENES ? `${cache}/synthetic` : `${cache}/synthetic-${scenes}`;
}

/** The subject of a dataset, as a subject's folder. */
export function subjectOf({ training }: SyntheticDataset, cache?: string): string {
  return `${datasetFolder(training.count, cache)}/algonauts/subj01`;
}

/** The segmentation scenes of a dataset, as a folder in the layout of PASCAL VOC. */
export function vocOf({ training }: SyntheticDataset, cache?: string): string {
  return `${datasetFolder(training.count, cache)}/voc`;
}

/**
 * Writes the synthetic dataset where it is not there yet, every byte as it was written. Of several processes that want it at once,
 * one writes it and the others wait.
 *
 * @param scenes training scenes
 * @param cache folder that the dataset's is in
 * @param onProgress called with how many steps are done, of how many
 */
export async function syntheticDataset(
  scenes: number,
  cache = CACHE_FOLDER,
  onProgress?: (done: number, total: number, note: string) => void,
): Promise<SyntheticDataset> {
  const seed = 0, plan = planDataset(scenes, seed), folder = datasetFolder(scenes, cache);
  const from = { code: await hashOfModules(DATASET_CODE), plan };
  const known = await finishedDataset(folder, from);
  if (known && known !== "broken") return known;
  await Deno.mkdir(cache, { recursive: true });
  const release = await holdFile(lockOf(folder, from));
  try {
    const found = await finishedDataset(folder, from); // by another process, meanwhile
    if (found && found !== "broken") return found;
    if (found === "broken") {
      for (const name of [MADE, PLAN]) await Deno.remove(`${folder}/${name}`).catch(() => {});
    }
    const dataset = await writeDataset(
      folder,
      plan,
      createSubject(seed),
      onProgress,
      navigator.hardwareConcurrency,
    );
    const made = { from, files: await hashFiles(folder, await filesOf(folder)) };
    await writeFileAtomic(`${folder}/${MADE}`, JSON.stringify(made)).catch(() => {}); // compared again by the next run
    return dataset;
  } finally {
    await release();
  }
}

/** The file that whoever writes a dataset holds, named as the locks of stages. */
function lockOf(folder: string, from: unknown): string {
  return `${folder}-${createHash("sha256").update(JSON.stringify(from)).digest("hex").slice(0, 16)}.lock`;
}

/** Whether the dataset of N training scenes is there, as this code makes it; its files are not looked at. */
export async function hasDataset(scenes: number, cache = CACHE_FOLDER): Promise<boolean> {
  const from = { code: await hashOfModules(DATASET_CODE), plan: planDataset(scenes, 0) };
  try {
    const made = JSON.parse(await Deno.readTextFile(`${datasetFolder(scenes, cache)}/${MADE}`));
    return JSON.stringify(made.from) === JSON.stringify(from);
  } catch {
    return false; // not there yet
  }
}

/** Whether a folder is one of a synthetic dataset's: of its subject, its scenes, or their images. */
export async function isOfDataset(path: string): Promise<boolean> {
  const folder = path.replace(/\/+$/, "");
  for (const up of ["", "/..", "/../.."]) {
    const names = [MADE, PLAN].map((name) => `${folder}${up}/${name}`);
    if ((await Promise.all(names.map(isFile))).every(Boolean)) return true;
  }
  return false;
}

/**
 * The dataset of this plan and code, if a run has checked it: making the subject, to compare, takes longer than most stages.
 * "broken" where a file of it is not as it was written: all are to be written again.
 */
async function finishedDataset(folder: string, from: unknown): Promise<SyntheticDataset | "broken" | null> {
  try {
    const made = JSON.parse(await Deno.readTextFile(`${folder}/${MADE}`));
    if (JSON.stringify(made.from) !== JSON.stringify(from)) return null;
    if ((await brokenFiles(folder, made.files)).length > 0) return "broken";
    return JSON.parse(await Deno.readTextFile(`${folder}/${PLAN}`));
  } catch {
    return null; // not there yet
  }
}

/** Paths of all files in a folder and those in it. */
async function filesOf(folder: string, within = ""): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(`${folder}/${within}`)), found: string[] = [];
  for (const { name, isDirectory } of entries) {
    if (isDirectory) found.push(...await filesOf(folder, `${within}${name}/`));
    else if (!name.endsWith(".tmp") && within + name !== MADE) found.push(within + name);
  }
  return found.sort();
}
