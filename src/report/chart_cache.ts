/** Rendered charts on disk: a run that changes nothing draws none anew. */
import { createHash } from "node:crypto";
import { hashOfModules } from "../data/files/code_hash.ts";
import { writeFileAtomic } from "../data/files/atomic_write.ts";

/** What draws a chart; the versions of its packages belong to it. */
const CODE = ["src/report/chart.ts"];
/** Folder of the charts; one a process, as a run is. */
let folder: string | undefined;

/**
 * Keeps charts that are rendered from now on, and takes those that are there.
 *
 * @param dir where it is no folder none are kept; undefined to keep none
 */
export function keepChartsIn(dir: string | undefined): void {
  folder = dir;
}

/**
 * A chart that an earlier run has left, every byte as it was written, or drawn now.
 *
 * @param inputs all that it depends on beside the code: plain values
 */
export async function keptChart(inputs: unknown, draw: () => Promise<string>): Promise<string> {
  if (folder === undefined) return await draw();
  const key = hashOf(JSON.stringify([await hashOfModules(CODE), inputs])).slice(0, 32);
  const path = `${folder}/${key}.svg`, known = await Deno.readTextFile(path).catch(() => "");
  const cut = known.indexOf("\n"), svg = known.slice(cut + 1);
  if (cut > 0 && known.slice(0, cut) === hashOf(svg)) return svg;
  const drawn = await draw();
  await writeFileAtomic(path, `${hashOf(drawn)}\n${drawn}`).catch(() => {}); // drawn again by the next run
  return drawn;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
