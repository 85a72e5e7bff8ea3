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
import {
  type BrokenFile,
  brokenFiles,
  brokenInBatches,
  type FileHashes,
  hashFiles,
} from "../data/files/file_hashes.ts";
import { type SizesByFolder, sizesOf } from "../data/files/file_look.ts";

/** A dataset of a stage: the name of its folder there. */
export type DatasetName = "eigenvectors" | "colors";

/** Makes the columns of one file. */
export type ColumnsOf = (file: DatasetFile) => Promise<DatasetColumns>;

/**
 * Makes all files of a dataset that are not there, and then its manifest, by which it is complete: the hashes of the batches'
 * notes, which have those of the files, so that nobody holds what is known of all.
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
  const batches = fileBatches(datasetFiles(slots)), all = batches.keys().toArray();
  const broken = await brokenNoted(folder, name, all);
  let nodes = 0;
  for (const at of all) {
    await makeBatch(
      { folder, name, at, broken },
      batches[at],
      columnsOf,
      ({ rows }) => onNodes(nodes += rows),
    );
  }
  const notes = await hashFiles(notesFolder(folder, name), all.map(noteName));
  await writeFileAtomic(manifestPath(folder, name), JSON.stringify(notes));
}

/** Of work that is shared by `tasks` tasks every `tasks`th part, from the `task`th on. */
export interface TaskShare {
  task: number;
  tasks: number;
}

/** Makes every `tasks`th batch. @returns its files */
export async function makeBatches(
  folder: string,
  name: DatasetName,
  slots: readonly DatasetSlot[],
  columnsOf: ColumnsOf,
  { task, tasks }: TaskShare,
): Promise<SizesByFolder> {
  const batches = fileBatches(datasetFiles(slots));
  const own = batches.keys().filter((at) => at % tasks === task).toArray();
  const broken = await brokenNoted(folder, name, own);
  for (const at of own) await makeBatch({ folder, name, at, broken }, batches[at], columnsOf, () => {});
  const files = own.flatMap((at) => batches[at].map(({ path }) => `${name}/${path}`));
  return await sizesOf(folder, [...files, ...own.map((at) => `parts/${name}/${noteName(at)}`)]);
}

/** Files, or notes of files, that are not as the manifest of a dataset has them. */
export async function brokenInDataset(
  folder: string,
  name: DatasetName,
  hashesAll = false,
): Promise<BrokenFile[]> {
  const notes = parseJson(await Deno.readTextFile(manifestPath(folder, name)), FILE_HASHES);
  const broken = await brokenFiles(notesFolder(folder, name), notes, true);
  if (broken.length > 0) return broken.map((note) => ({ ...note, file: `parts/${name}/${note.file}` }));
  const batches = notesOf(folder, name, Object.keys(notes));
  const files = await brokenInBatches(`${folder}/${name}`, batches, hashesAll);
  return files.map((own) => ({ ...own, file: `${name}/${own.file}` }));
}

/** Files of some batches that are noted and, as far as `brokenFiles` looks, not as they were written. */
async function brokenNoted(folder: string, name: DatasetName, batches: number[]): Promise<Set<string>> {
  const broken = await brokenInBatches(`${folder}/${name}`, notesOf(folder, name, batches.map(noteName)));
  return new Set(broken.map(({ file }) => file));
}

/** Batch by batch. */
async function* notesOf(
  folder: string,
  name: DatasetName,
  notes: readonly string[],
): AsyncGenerator<FileHashes> {
  for (const note of notes) yield parsedNote(await readNote(`${notesFolder(folder, name)}/${note}`));
}

/** Its text; none where it is absent. */
async function readNote(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}

/** What a note says; nothing where it is damaged. */
function parsedNote(note: string): FileHashes {
  try {
    return parseJson(note, FILE_HASHES);
  } catch {
    return {};
  }
}

/** Makes the files of a batch that are not there, and its note. */
async function makeBatch(
  { folder, name, at, broken }: { folder: string; name: DatasetName; at: number; broken: Set<string> },
  files: DatasetFile[],
  columnsOf: ColumnsOf,
  onFile: (file: DatasetFile) => void,
): Promise<void> {
  const note = `${notesFolder(folder, name)}/${noteName(at)}`, text = await readNote(note);
  const known = parsedNote(text), there: FileHashes = {};
  for (const file of files) {
    const { path } = file;
    if (known[path] && !broken.has(path)) there[path] = known[path];
    else Object.assign(there, await writeDatasetFile(`${folder}/${name}`, file, await columnsOf(file)));
    onFile(file);
  }
  if (JSON.stringify(there) === text) return;
  await Deno.mkdir(notesFolder(folder, name), { recursive: true });
  await writeFileAtomic(note, JSON.stringify(there));
}

function notesFolder(folder: string, name: DatasetName): string {
  return `${folder}/parts/${name}`;
}

function noteName(batch: number): string {
  return `${String(batch).padStart(4, "0")}.json`;
}

function manifestPath(folder: string, name: DatasetName): string {
  return `${folder}/${name}.json`;
}
