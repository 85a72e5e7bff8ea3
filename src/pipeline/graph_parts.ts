/** Parts of the stage "eigenvectors" on disk, each whole or not there, so that one process makes them in turn or many some each. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { type SizesByFolder, sizesOf } from "../data/files/file_look.ts";
import { readNpy, writeNpy } from "../data/formats/npy.ts";

/** What a part holds. */
export type PartData = Float32Array | Float64Array;

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

/** Files of parts that are there, for a note of the task that made them. */
export async function partFiles(folder: string, names: readonly string[]): Promise<SizesByFolder> {
  return await sizesOf(folder, names.flatMap((name) => [`parts/${name}.npy`, `parts/${name}.json`]));
}

function pathOf(folder: string, name: string): string {
  return `${folder}/parts/${name}`;
}
