/** Parts of the stage "eigenvectors" on disk, each whole or not there, so that one process makes them in turn or many some each. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { type FileLook, lookAtSizes } from "../data/files/file_look.ts";
import { readNpy, writeNpy } from "../data/formats/npy.ts";
import type { NodeRange } from "../graph/node_source.ts";

/** What a part holds. */
export type PartData = Float32Array | Float64Array;

/** Place of a range's part in the stage's folder; the ranges sort as the names do. */
export function rangeName(kind: "candidates", { first, rows }: NodeRange): string {
  const padded = (node: number) => String(node).padStart(12, "0");
  return `${kind}/${padded(first)}-${padded(first + rows - 1)}`;
}

/** Writes values and, when they are whole, a file beside them with their hash. */
export async function writePart(
  folder: string,
  name: string,
  data: PartData,
  shape: number[],
): Promise<void> {
  const path = pathOf(folder, name);
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeNpy(`${path}.npy`, data, shape);
  const written = await Deno.readFile(`${path}.npy`);
  const sha256 = createHash("sha256").update(written).digest("hex");
  await writeFileAtomic(`${path}.json`, JSON.stringify({ sha256, bytes: written.length }));
}

/** The values, every byte as written; else null. */
export async function readPart<T extends PartData>(
  folder: string,
  name: string,
): Promise<{ data: T; shape: number[] } | null> {
  const path = pathOf(folder, name);
  try {
    const { sha256 } = JSON.parse(await Deno.readTextFile(`${path}.json`));
    const found = createHash("sha256").update(await Deno.readFile(`${path}.npy`)).digest("hex");
    if (found !== sha256) return null;
    const { data, shape } = await readNpy(`${path}.npy`);
    return { data: data as T, shape };
  } catch {
    return null; // absent
  }
}

/** The values that are kept under a name; made now where they are not there. */
export async function cachedPart(
  folder: string,
  name: string,
  make: () => Promise<Float64Array>,
): Promise<Float64Array> {
  const there = await readPart<Float64Array>(folder, name);
  if (there) return there.data;
  const made = await make();
  await writePart(folder, name, made, [made.length]);
  return made;
}

/** Notes which parts one of `tasks` tasks of a step had to make, for those who ask by its number. */
export async function noteParts(
  folder: string,
  step: string,
  task: number,
  tasks: number,
  names: string[],
): Promise<void> {
  await Deno.mkdir(`${folder}/parts`, { recursive: true });
  await writeFileAtomic(notePath(folder, step, task, tasks), JSON.stringify(names));
}

/** Whether all parts of a task are there, as far as `look` looks; their values are not looked at. */
export function arePartsThere(
  folder: string,
  step: string,
  task: number,
  tasks: number,
  look: FileLook = lookAtSizes(),
): boolean {
  try {
    const names: string[] = JSON.parse(Deno.readTextFileSync(notePath(folder, step, task, tasks)));
    return names.every((name) => isPartThere(folder, name, look));
  } catch {
    return false; // absent
  }
}

function isPartThere(folder: string, name: string, look: FileLook): boolean {
  const path = pathOf(folder, name), [kind] = name.split("/");
  if (!look.sizes && look.sees(`${path}.npy`)) return look.sees(`${path}.json`);
  const { bytes, ...files } = JSON.parse(Deno.readTextFileSync(`${path}.json`));
  if (bytes !== undefined) return look.sees(`${path}.npy`, bytes);
  // The note of a batch of a dataset's files.
  return Object.entries<{ bytes: number }>(files)
    .every(([file, { bytes }]) => look.sees(`${folder}/${kind}/${file}`, bytes));
}

function pathOf(folder: string, name: string): string {
  return `${folder}/parts/${name}`;
}

function notePath(folder: string, step: string, task: number, tasks: number): string {
  return `${folder}/parts/${step}-${task}-of-${tasks}.json`;
}
