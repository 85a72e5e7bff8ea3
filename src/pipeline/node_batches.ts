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
import { type BrokenFile, brokenFiles, type FileHashes } from "../data/files/file_hashes.ts";
import { noteParts } from "./graph_parts.ts";

/** A dataset of a stage: the name of its folder there. */
export type DatasetName = "eigenvectors" | "colors";

/** Makes the columns of one file. */
export type ColumnsOf = (file: DatasetFile) => Promise<DatasetColumns>;

/**
 * Makes all files of a dataset that are not there, and then its manifest, by which it is complete.
 *
 * @param onNodes told after every file how many nodes are there
 */
export async function makeDataset(
  folder: string,
  name: DatasetName,
  slots: readonly DatasetSlot[],
  columnsOf: ColumnsOf,
  onNodes: (nodes: number) => void,
): Promise<void> {
  const all: FileHashes = {};
  let nodes = 0;
  for (const [at, files] of fileBatches(datasetFiles(slots)).entries()) {
    Object.assign(
      all,
      await makeBatch(folder, name, at, files, columnsOf, (file) => onNodes(nodes += file.rows)),
    );
  }
  await writeFileAtomic(manifestPath(folder, name), JSON.stringify(all));
}

/** Makes every `tasks`th batch, and notes them for `arePartsThere`. */
export async function makeBatches(
  folder: string,
  name: DatasetName,
  slots: readonly DatasetSlot[],
  columnsOf: ColumnsOf,
  { step, task, tasks }: { step: string; task: number; tasks: number },
): Promise<void> {
  const names: string[] = [];
  for (const [at, files] of fileBatches(datasetFiles(slots)).entries()) {
    if (at % tasks !== task) continue;
    await makeBatch(folder, name, at, files, columnsOf, () => {});
    names.push(batchName(name, at));
  }
  await noteParts(folder, step, task, tasks, names);
}

/** Files that are not as the manifest of a dataset has them. */
export async function brokenInDataset(
  folder: string,
  name: DatasetName,
  hashesAll = false,
): Promise<BrokenFile[]> {
  const files: FileHashes = JSON.parse(await Deno.readTextFile(manifestPath(folder, name)));
  const inside = Object.entries(files).map(([path, hash]) => [`${name}/${path}`, hash]);
  return await brokenFiles(folder, Object.fromEntries(inside), hashesAll);
}

/** The files of a batch: those that are noted and there by their size, and others made now. */
async function makeBatch(
  folder: string,
  name: DatasetName,
  at: number,
  files: DatasetFile[],
  columnsOf: ColumnsOf,
  onFile: (file: DatasetFile) => void,
): Promise<FileHashes> {
  const dataset = `${folder}/${name}`, note = `${folder}/parts/${batchName(name, at)}.json`;
  const noted: FileHashes = await Deno.readTextFile(note).then(JSON.parse).catch(() => ({})); // absent
  const there: FileHashes = {};
  let made = 0;
  for (const file of files) {
    const known = noted[file.path];
    const size = known && await Deno.stat(`${dataset}/${file.path}`).then(({ size }) => size, () => null);
    if (known && size === known.bytes) there[file.path] = known;
    else {
      Object.assign(there, await writeDatasetFile(dataset, file, await columnsOf(file)));
      made++;
    }
    onFile(file);
  }
  if (made > 0) {
    await Deno.mkdir(`${folder}/parts/${name}`, { recursive: true });
    await writeFileAtomic(note, JSON.stringify(there));
  }
  return there;
}

function batchName(name: DatasetName, at: number): string {
  return `${name}/${String(at).padStart(4, "0")}`;
}

function manifestPath(folder: string, name: DatasetName): string {
  return `${folder}/${name}.json`;
}
