/** Results of experiments on disk: each cached under the hash of the code and of what it was computed from. */
import { writeFileAtomic } from "../files/atomic_write.ts";
import { hashOfModules } from "../files/code_hash.ts";
import { NotFinished, openStages, type Stages } from "./stages.ts";

/** How results are written. */
const RESULT = "src/data/cache/memoize.ts";
/** Files of a result: values without arrays, and the bytes of these, which as text would take several times the memory. */
const VALUES = "result.json", BYTES = "arrays.bin";
/** What typed arrays are called in the file. */
const ARRAYS = {
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint16Array,
  Uint32Array,
};

/**
 * A result that is there, or computed now: plain values, with typed arrays, maps and numbers that are not finite.
 *
 * @param dir folder of all cached results, or its stages
 * @param code modules that compute it, as of `hashOfModules`
 * @param name of the result, as part of a file name
 * @param inputs all that it depends on beside the code: plain values, hashes for data
 * @throws NotFinished where the stages only explain and the result is not there
 */
export async function memoize<T>(
  dir: string | Stages,
  code: readonly string[],
  name: string,
  inputs: Record<string, unknown>,
  compute: () => Promise<T>,
): Promise<T> {
  const all = { code: await hashOfModules([...code, RESULT]), ...inputs };
  const stages = typeof dir === "string" ? openStages(dir) : dir;
  const folder = await stages.run(name, all, async (folder) => {
    const arrays: Uint8Array[] = [], values = encoded(await compute(), arrays);
    await writeFileAtomic(`${folder}/${BYTES}`, arrays);
    await writeFileAtomic(`${folder}/${VALUES}`, JSON.stringify(values));
  });
  if (!folder) throw new NotFinished(name, stages.reports.at(-1)!.why);
  const paths = [VALUES, BYTES].map((name) => `${folder}/${name}`), [values, bytes] = paths;
  using file = await Deno.open(bytes);
  const result = decoded(JSON.parse(await Deno.readTextFile(values)), file) as T;
  for (const path of paths) used.add(path);
  return result;
}

const used = new Set<string>();

/** Files of all results that this process has had so far. */
export function memoizedFiles(): string[] {
  return [...used];
}

/** A value as JSON has it; what JSON lacks becomes { $: its kind, values }, of typed arrays their number, and their bytes go to `arrays`. */
function encoded(value: unknown, arrays: Uint8Array[]): unknown {
  if (typeof value === "number" && !(Number.isFinite(value) && !Object.is(value, -0))) {
    return { $: "number", values: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) {
    const kind = value.constructor.name;
    if (!(kind in ARRAYS)) {
      throw new TypeError(`A memoized result holds a ${kind}, which its file has no name for.`);
    }
    arrays.push(new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength));
    return { $: kind, values: value.byteLength };
  }
  const inside = (own: unknown) => encoded(own, arrays);
  if (value instanceof Map) return { $: "Map", values: [...value].map(inside) };
  if (Array.isArray(value)) return value.map(inside);
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, inside(own)]));
}

/** The value again. @param file of the bytes of its arrays, which follow one another as they do in it */
function decoded(value: unknown, file: Deno.FsFile): unknown {
  if (value === null || typeof value !== "object") return value;
  const inside = (own: unknown) => decoded(own, file);
  if (Array.isArray(value)) return value.map(inside);
  const { $: kind, values } = value as { $?: string; values?: unknown };
  if (kind === "number") return Number(values);
  if (kind === "Map") return new Map(inside(values) as [unknown, unknown][]);
  if (kind && kind in ARRAYS) {
    return new ARRAYS[kind as keyof typeof ARRAYS](nextBytes(file, values as number).buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, inside(own)]));
}

/** Bytes of a file from where it was read to. @throws Error where it is shorter than it was when it was looked at */
function nextBytes(file: Deno.FsFile, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) throw new Error(`${BYTES} of a memoized result was cut while it was read: run again.`);
    at += read;
  }
  return bytes;
}
