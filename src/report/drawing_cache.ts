/** Drawings on disk: a run that changes nothing draws none anew. */
import { createHash } from "node:crypto";
import { hashOfModules } from "../data/files/code_hash.ts";
import { writeFileAtomic } from "../data/files/atomic_write.ts";

/** Folder of the drawings; one a process, as a run is. */
let folder: string | undefined;

/**
 * Keeps drawings that are made from now on, and takes those that are there.
 *
 * @param dir where it is no folder none are kept; undefined to keep none
 */
export function cacheDrawingsIn(dir: string | undefined): void {
  folder = dir;
}

/**
 * A drawing that an earlier run has left, every byte as it was written, or made now.
 *
 * @param code modules that draw it, as of `hashOfModules`
 * @param inputs all that it depends on beside the code: plain values and typed arrays
 * @param draw as text
 */
export async function cachedDrawing(
  code: readonly string[],
  inputs: unknown,
  draw: () => string | Promise<string>,
): Promise<string> {
  if (folder === undefined) return await draw();
  const text = JSON.stringify(
    [await hashOfModules(code), inputs],
    (_, value) =>
      ArrayBuffer.isView(value)
        ? hashOf(new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength))
        : value,
  );
  const path = `${folder}/${hashOf(text).slice(0, 32)}.svg`;
  const known = await Deno.readTextFile(path).catch(() => ""), cut = known.indexOf("\n");
  const kept = known.slice(cut + 1);
  if (cut > 0 && known.slice(0, cut) === hashOf(kept)) return kept;
  const drawn = await draw();
  await writeFileAtomic(path, `${hashOf(drawn)}\n${drawn}`).catch(() => {}); // drawn again by the next run
  return drawn;
}

function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
