/**
 * The stage "eigenvectors" in steps: the fit on landmarks, the vectors of ranges of nodes, and all of them joined. Each
 * step leaves a file under its final name only when it is whole, and does nothing where that is there, so that one process
 * does all of them in turn or many do one each.
 */
import { createHash } from "node:crypto";
import { reasonOf, writeFileAtomic } from "../data/atomic_write.ts";
import type { FeatureManifest } from "../data/extract.ts";
import { chooseNeighborSearch } from "../data/hnsw_neighbors.ts";
import { readNpy, writeNpy } from "../data/npy.ts";
import { loadNystrom, saveNystrom } from "../data/nystrom_file.ts";
import { type Gpu, trim } from "../gpu/mod.ts";
import { type NodeSource, PANEL_ROWS } from "../graph/node_source.ts";
import { fitNystrom, type NystromModel, type PanelSearch } from "../graph/nystrom.ts";
import { alignedSource, openRawFeatures } from "./aligned_source.ts";
import type { PipelineOptions } from "./pipeline.ts";

/** Farthest points change the density that eigenvectors reflect, and are further from the exact answer: see the page nystrom. */
export const SAMPLING = "uniform";

/** Told the step, and how much of it is done. */
type OnProgress = (step: string, done: number, total: number) => void;

/** A range of nodes. */
interface NodeRange {
  first: number;
  rows: number;
}

/** Everything in turn: the fit, the vectors of all nodes that no range is there of, and `eigenvectors.npy`. */
export async function solveGraph(
  gpu: Gpu,
  folder: string,
  manifests: FeatureManifest[],
  options: PipelineOptions,
  onProgress: OnProgress,
): Promise<void> {
  await withSource(gpu, manifests, options, async (source) => {
    const fit = await fitted(gpu, folder, source, options, onProgress);
    const { search, reason } = await chooseNeighborSearch(gpu, fit, source, options.knn);
    const { components } = options, all = new Float32Array(source.rows * components);
    let next = 0;
    for (const { first, rows } of await rangesThere(folder)) {
      if (first !== next) continue;
      const vectors = await readRange(folder, { first, rows });
      if (!vectors) continue;
      all.set(vectors, first * components);
      next = first + rows;
    }
    const rest = { first: next, rows: source.rows - next };
    if (rest.rows > 0) {
      await carry(fit, source, rest, search, ({ data }, first) => {
        all.set(data, first * components);
        onProgress("propagate", first + data.length / components, source.rows);
      });
    }
    await Deno.writeTextFile(`${folder}/neighbors.txt`, `${reason}\n`);
    await writeNpy(`${folder}/eigenvectors.npy`, all, [source.rows, components]);
  });
}

/** The fit alone. */
export async function fitGraph(
  gpu: Gpu,
  folder: string,
  manifests: FeatureManifest[],
  options: PipelineOptions,
): Promise<void> {
  await withSource(gpu, manifests, options, async (source) => {
    await fitted(gpu, folder, source, options, () => {});
  });
}

/** The vectors of one of `parts` ranges of nodes, for `solveGraph` to take over; a range that is there is left as it is. */
export async function propagateRange(
  gpu: Gpu,
  folder: string,
  manifests: FeatureManifest[],
  options: PipelineOptions,
  part: number,
  parts: number,
): Promise<void> {
  await withSource(gpu, manifests, options, async (source) => {
    const range = nodeRange(source.rows, part, parts);
    if (range.rows === 0 || await readRange(folder, range)) {
      return await noteRange(folder, part, parts, range);
    }
    const fit = await loadNystrom(gpu, `${folder}/fit.arrow`), { components } = options;
    const all = new Float32Array(range.rows * components);
    const { search } = await chooseNeighborSearch(gpu, fit, source, options.knn);
    await carry(fit, source, range, search, ({ data }, first) => {
      all.set(data, (first - range.first) * components);
    });
    await Deno.mkdir(`${folder}/parts`, { recursive: true });
    const path = `${folder}/parts/${rangeName(range)}`;
    await writeNpy(`${path}.npy`, all, [range.rows, components]);
    const sha256 = createHash("sha256").update(await Deno.readFile(`${path}.npy`)).digest("hex");
    await writeFileAtomic(`${path}.json`, JSON.stringify({ ...range, sha256 }));
    await noteRange(folder, part, parts, range);
  });
}

/** Whether a range's vectors are there. */
export async function isPropagated(folder: string, part: number, parts: number): Promise<boolean> {
  try {
    const { range } = JSON.parse(await Deno.readTextFile(`${folder}/parts/${part}-of-${parts}.json`));
    if (range.rows > 0) await Deno.stat(`${folder}/parts/${rangeName(range)}.json`);
    return true;
  } catch {
    return false; // absent
  }
}

/** Panels are not divided, so that each is computed as it is by one process alone. */
export function nodeRange(nodes: number, part: number, parts: number): NodeRange {
  const panels = Math.ceil(nodes / PANEL_ROWS);
  const at = (part: number) => Math.min(nodes, Math.floor(panels * part / parts) * PANEL_ROWS);
  return { first: at(part), rows: at(part + 1) - at(part) };
}

async function withSource(
  gpu: Gpu,
  manifests: FeatureManifest[],
  { align }: PipelineOptions,
  work: (source: NodeSource) => Promise<void>,
): Promise<void> {
  const raw = await openRawFeatures(manifests);
  try {
    await work(alignedSource(gpu, raw, align));
  } finally {
    await raw.close();
    trim(gpu);
  }
}

/** The fit that is there, or is made now. */
async function fitted(
  gpu: Gpu,
  folder: string,
  source: NodeSource,
  { landmarks, neighbors, knn, components, seed }: PipelineOptions,
  onProgress: OnProgress,
): Promise<NystromModel> {
  const path = `${folder}/fit.arrow`;
  const there = await loadNystrom(gpu, path).catch(() => null); // absent or damaged
  if (there) return there;
  const fit = await fitNystrom(gpu, source, {
    ...{ landmarks: Math.min(landmarks, source.rows), neighbors, components, sampling: SAMPLING, seed },
    search: knn === "groups" ? "groups" : "exact",
    onProgress: (done, wanted) => onProgress("landmarks", done, wanted),
  });
  trim(gpu);
  await saveNystrom(path, fit);
  return fit;
}

/** Vectors of a range of nodes, panel by panel; `first` counts all nodes. */
async function carry(
  fit: NystromModel,
  source: NodeSource,
  { first, rows }: NodeRange,
  search: PanelSearch | undefined,
  take: (vectors: { data: Float32Array }, first: number) => void,
): Promise<void> {
  const part: NodeSource = {
    ...{ rows, cols: source.cols, name: source.name },
    read: (from, count) => source.read(first + from, count),
  };
  for await (const panel of fit.panels(part, { search })) take(panel.vectors, first + panel.first);
}

function rangeName({ first, rows }: NodeRange): string {
  const padded = (node: number) => String(node).padStart(12, "0");
  return `nodes-${padded(first)}-${padded(first + rows - 1)}`;
}

/** Which nodes a part has turned out to be, for those who ask by its number. */
async function noteRange(folder: string, part: number, parts: number, range: NodeRange): Promise<void> {
  await Deno.mkdir(`${folder}/parts`, { recursive: true });
  await writeFileAtomic(`${folder}/parts/${part}-of-${parts}.json`, JSON.stringify({ range }));
}

/** Ranges that have vectors, in the order of their nodes. */
async function rangesThere(folder: string): Promise<NodeRange[]> {
  const ranges: NodeRange[] = [];
  try {
    for await (const { name } of Deno.readDir(`${folder}/parts`)) {
      const found = /^nodes-(\d+)-(\d+)\.json$/.exec(name);
      if (found) ranges.push({ first: Number(found[1]), rows: Number(found[2]) - Number(found[1]) + 1 });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new Error(`Cannot read ${folder}: ${reasonOf(error)}.`);
    }
  }
  return ranges.sort((a, b) => a.first - b.first);
}

/** Vectors of a range, every byte as written; else null. */
async function readRange(folder: string, range: NodeRange): Promise<Float32Array | null> {
  const path = `${folder}/parts/${rangeName(range)}`;
  try {
    const { sha256 } = JSON.parse(await Deno.readTextFile(`${path}.json`));
    const found = createHash("sha256").update(await Deno.readFile(`${path}.npy`)).digest("hex");
    return found === sha256 ? (await readNpy(`${path}.npy`)).data as Float32Array : null;
  } catch {
    return null; // absent
  }
}
