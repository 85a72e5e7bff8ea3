/** Datasets of all nodes, made batch by batch: by one process in turn, or by many some each. */
import {
  type DatasetColumns,
  type DatasetFile,
  datasetFiles,
  type DatasetSlot,
  fileBatches,
  writeDatasetFile,
} from "../data/features/node_dataset.ts";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { FILE_HASHES, parseJson } from "../data/files/checked_json.ts";
import { type BrokenFile, brokenFiles, type FileHashes } from "../data/files/file_hashes.ts";
import { type SizesByFolder, sizesOf } from "../data/files/file_look.ts";

/** A dataset of a stage: the name of its folder there. */
export type DatasetName = "eigenvectors" | "colors";

/** Makes the columns of one file. */
export type ColumnsOf = (file: DatasetFile) => Promise<DatasetColumns>;

/**
 * Makes all files of a dataset that are not there, and then its manifest, by which it is complete.
 *
 * @param onNodes called after each file with how many nodes are there
 */
export async function makeDataset(
  folder: string,
  name: DatasetName,
  slots: readonly DatasetSlot[],
  columnsOf: ColumnsOf,
  onNodes: (nodes: number) => void,
): Promise<void> {
  const batches = fileBatches(datasetFiles(slots)), all: FileHashes = {};
  const there = await wholeFiles(folder, name, batches.keys().toArray());
  let nodes = 0;
  for (const [at, files] of batches.entries()) {
    const made = await makeBatch(
      { folder, name, at, there },
      files,
      columnsOf,
      (file) => onNodes(nodes += file.rows),
    );
    Object.assign(all, made);
  }
  await writeFileAtomic(manifestPath(folder, name), JSON.stringify(all));
}

/** Makes every `tasks`th batch. @returns its files */
export async function makeBatches(
  folder: string,
  name: DatasetName,
  slots: readonly DatasetSlot[],
  columnsOf: ColumnsOf,
  { task, tasks }: { task: number; tasks: number },
): Promise<SizesByFolder> {
  const batches = fileBatches(datasetFiles(slots));
  const own = batches.keys().filter((at) => at % tasks === task).toArray();
  const there = await wholeFiles(folder, name, own);
  for (const at of own) await makeBatch({ folder, name, at, there }, batches[at], columnsOf, () => {});
  const files = own.flatMap((at) => batches[at].map(({ path }) => `${name}/${path}`));
  return await sizesOf(folder, [...files, ...own.map((at) => `parts/${batchName(name, at)}.json`)]);
}

/** Files that are not as the manifest of a dataset has them. */
export async function brokenInDataset(
  folder: string,
  name: DatasetName,
  hashesAll = false,
): Promise<BrokenFile[]> {
  const files = parseJson(await Deno.readTextFile(manifestPath(folder, name)), FILE_HASHES);
  const inside = Object.entries(files).map(([path, hash]) => [`${name}/${path}`, hash]);
  return await brokenFiles(folder, Object.fromEntries(inside), hashesAll);
}

/** Files of some batches that are noted and, as far as `brokenFiles` looks, as they were written. */
async function wholeFiles(folder: string, name: DatasetName, batches: number[]): Promise<FileHashes> {
  const noted: FileHashes = {};
  for (const at of batches) {
    const note = await Deno.readTextFile(notePath(folder, name, at)).catch(() => ""); // absent
    Object.assign(noted, parsedNote(note));
  }
  for (const { file } of await brokenFiles(`${folder}/${name}`, noted)) delete noted[file];
  return noted;
}

/** What a note says; nothing where it is damaged. */
function parsedNote(note: string): FileHashes {
  try {
    return parseJson(note, FILE_HASHES);
  } catch {
    return {};
  }
}

/** The files of a batch: those that are there, and others made now. */
async function makeBatch(
  { folder, name, at, there: known }: { folder: string; name: DatasetName; at: number; there: FileHashes },
  files: DatasetFile[],
  columnsOf: ColumnsOf,
  onFile: (file: DatasetFile) => void,
): Promise<FileHashes> {
  const dataset = `${folder}/${name}`, there: FileHashes = {};
  let made = 0;
  for (const file of files) {
    if (known[file.path]) there[file.path] = known[file.path];
    else {
      Object.assign(there, await writeDatasetFile(dataset, file, await columnsOf(file)));
      made++;
    }
    onFile(file);
  }
  if (made > 0) {
    await Deno.mkdir(`${folder}/parts/${name}`, { recursive: true });
    await writeFileAtomic(notePath(folder, name, at), JSON.stringify(there));
  }
  return there;
}

function notePath(folder: string, name: DatasetName, at: number): string {
  return `${folder}/parts/${batchName(name, at)}.json`;
}

function batchName(name: DatasetName, at: number): string {
  return `${name}/${String(at).padStart(4, "0")}`;
}

function manifestPath(folder: string, name: DatasetName): string {
  return `${folder}/${name}.json`;
}
