/** Results of experiments on disk: each kept under the hash of the code and of what it was computed from. */
import { writeFileAtomic } from "../files/atomic_write.ts";
import { hashOfModules } from "../files/code_hash.ts";
import { NotFinished, openStages, type Stages } from "./stages.ts";

/** How results are written. */
const RESULT = "src/data/cache/memoize.ts";
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
 * @param dir folder of all kept results, or its stages
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
    await writeFileAtomic(`${folder}/result.json`, JSON.stringify(encoded(await compute())));
  });
  if (!folder) throw new NotFinished(name, stages.reports.at(-1)!.why);
  const path = `${folder}/result.json`, result = decoded(JSON.parse(await Deno.readTextFile(path))) as T;
  used.add(path);
  return result;
}

const used = new Set<string>();

/** Files of all results that this process has had so far. */
export function memoizedFiles(): string[] {
  return [...used];
}

/** A value as JSON has it; what JSON lacks becomes { $: its kind, values }, of typed arrays their bytes in base64. */
function encoded(value: unknown): unknown {
  if (typeof value === "number" && !(Number.isFinite(value) && !Object.is(value, -0))) {
    return { $: "number", values: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) {
    const kind = value.constructor.name;
    if (!(kind in ARRAYS)) {
      throw new TypeError(`A memoized result holds a ${kind}, which its file has no name for.`);
    }
    return {
      $: kind,
      values: new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength).toBase64(),
    };
  }
  if (value instanceof Map) return { $: "Map", values: [...value].map(encoded) };
  if (Array.isArray(value)) return value.map(encoded);
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, encoded(own)]));
}

function decoded(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decoded);
  const { $: kind, values } = value as { $?: string; values?: unknown };
  if (kind === "number") return Number(values);
  if (kind === "Map") return new Map(decoded(values) as [unknown, unknown][]);
  if (kind && kind in ARRAYS) {
    return new ARRAYS[kind as keyof typeof ARRAYS](Uint8Array.fromBase64(values as string).buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, decoded(own)]));
}
