/**
 * The stage "eigenvectors" in steps: the fit on landmarks, the vectors of ranges of nodes, and all of them joined. Each
 * step leaves a file under its final name only when it is whole, and does nothing where that is there, so that one process
 * does all of them in turn or many do one each.
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { reasonOf, writeFileAtomic } from "../data/files/atomic_write.ts";
import { chooseNeighborSearch } from "./neighbor_search.ts";
import { readNpy, writeNpy } from "../data/formats/npy.ts";
import { isThere } from "../data/files/plain_file.ts";
import { loadNystrom, saveNystrom } from "../data/fits/nystrom_file.ts";
import { type Gpu, trim } from "../gpu/mod.ts";
import {
  CANDIDATES_PER_LANDMARK,
  farthestCandidates,
  type LandmarkCandidates,
  mergeCandidates,
} from "../graph/landmarks.ts";
import { nodesOf, type NodeSource, PANEL_ROWS } from "../graph/node_source.ts";
import { fitNystrom, type NystromModel, type PanelSearch } from "../graph/nystrom.ts";
import { alignedSource, openRawFeatures } from "./aligned_source.ts";
import type { PipelineOptions } from "./pipeline_options.ts";
import type { FeatureManifest } from "../data/features/extract_parts.ts";

/** Candidates for landmarks are sought among so many nodes at a time, … */
const BLOCK_ROWS = 4 * PANEL_ROWS;
/** … or among as many as have so many, since the first one of a block is far from nothing, … */
const MIN_CANDIDATES = 64;
/** … but no more: their rows are kept as float32. */
const MAX_BLOCK_ROWS = 2 ** 24;

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
    await writeFileAtomic(`${folder}/neighbors.txt`, `${reason}\n`);
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
    await writePart(`${folder}/parts/${rangeName("nodes", range)}`, all, [range.rows, components]);
    await noteRange(folder, part, parts, range);
  });
}

/** Whether a range's vectors are there. */
export async function isPropagated(folder: string, part: number, parts: number): Promise<boolean> {
  try {
    const { range } = JSON.parse(await Deno.readTextFile(`${folder}/parts/${part}-of-${parts}.json`));
    return range.rows === 0 || await isPartThere(`${folder}/parts/${rangeName("nodes", range)}`);
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
  { landmarks, neighbors, knn, components, sampling, seed }: PipelineOptions,
  onProgress: OnProgress,
): Promise<NystromModel> {
  const path = `${folder}/fit.arrow`;
  const there = await isThere(path)
    ? await loadNystrom(gpu, path).catch((error) => console.error(`${error.message} It is fitted again now.`))
    : null;
  if (there) return there;
  const count = Math.min(landmarks, source.rows);
  const chosen = sampling === "farthest"
    ? await farthestNodes(gpu, folder, source, count, seed, onProgress)
    : count;
  const fit = await fitNystrom(gpu, source, {
    landmarks: chosen,
    neighbors,
    components,
    sampling,
    seed,
    search: knn === "groups" ? "groups" : "exact",
    onProgress: (done, wanted) => onProgress("landmarks", done, wanted),
  });
  trim(gpu);
  if (fit.missing) {
    throw new RangeError(
      `The graph has ${
        components - fit.missing
      } components, ${components} were asked for: give --components ${components - fit.missing}.`,
    );
  }
  await saveNystrom(path, fit);
  return fit;
}

/**
 * Candidates for landmarks out of every `parts`th block of nodes, for `fitGraph` to merge; a block that is there is left as it
 * is. Only where landmarks are farthest points.
 */
export async function findCandidates(
  gpu: Gpu,
  folder: string,
  manifests: FeatureManifest[],
  options: PipelineOptions,
  part: number,
  parts: number,
): Promise<void> {
  await withSource(gpu, manifests, options, async (source) => {
    const count = Math.min(options.landmarks, source.rows), names: string[] = [];
    for (const [at, range] of candidateBlocks(source.rows, count).entries()) {
      if (at % parts !== part) continue;
      await candidatesOf(gpu, folder, source, range, count, options.seed);
      names.push(rangeName("candidates", range));
    }
    await Deno.mkdir(`${folder}/parts`, { recursive: true });
    await writeFileAtomic(`${folder}/parts/candidates-${part}-of-${parts}.json`, JSON.stringify(names));
  });
}

/** Whether the candidates of a part are there. */
export async function areCandidatesFound(folder: string, part: number, parts: number): Promise<boolean> {
  try {
    const names = JSON.parse(await Deno.readTextFile(`${folder}/parts/candidates-${part}-of-${parts}.json`));
    for (const name of names) if (!await isPartThere(`${folder}/parts/${name}`)) return false;
    return true;
  } catch {
    return false; // absent
  }
}

/** Landmarks as farthest points: of every block of nodes, then of what blocks have found. */
async function farthestNodes(
  gpu: Gpu,
  folder: string,
  source: NodeSource,
  count: number,
  seed: number,
  onProgress: OnProgress,
): Promise<Uint32Array> {
  const found: (LandmarkCandidates & { first: number })[] = [], blocks = candidateBlocks(source.rows, count);
  for (const [at, range] of blocks.entries()) {
    const { first } = range;
    found.push({ first, ...await candidatesOf(gpu, folder, source, range, count, seed) });
    onProgress("candidates", at + 1, blocks.length);
  }
  return await mergeCandidates(gpu, found, count);
}

/** Ranges of nodes that candidates are sought in, whoever does. */
export function candidateBlocks(nodes: number, landmarks: number): NodeRange[] {
  const wanted = MIN_CANDIDATES * nodes / (CANDIDATES_PER_LANDMARK * landmarks);
  const most = Math.min(MAX_BLOCK_ROWS, Math.max(1, Math.ceil(wanted / BLOCK_ROWS)) * BLOCK_ROWS);
  return Array.from({ length: Math.ceil(nodes / most) }, (_, at) => {
    const first = at * most;
    return { first, rows: Math.min(most, nodes - first) };
  });
}

/** A block's candidates, its share of four for every landmark; found now where they are not there. */
async function candidatesOf(
  gpu: Gpu,
  folder: string,
  source: NodeSource,
  range: NodeRange,
  landmarks: number,
  seed: number,
): Promise<LandmarkCandidates> {
  const path = `${folder}/parts/${rangeName("candidates", range)}`, there = await readPart(path);
  if (there) {
    const [count, cols] = there.shape, rows = new Uint32Array(count);
    const points = { data: new Float32Array(count * (cols - 1)), rows: count, cols: cols - 1 };
    for (let i = 0; i < count; i++) {
      rows[i] = there.data[i * cols];
      points.data.set(there.data.subarray(i * cols + 1, (i + 1) * cols), i * (cols - 1));
    }
    return { rows, points };
  }
  const count = Math.ceil(CANDIDATES_PER_LANDMARK * landmarks * range.rows / source.rows);
  const { rows, points } = await farthestCandidates(gpu, source, range, { count, seed });
  const cols = points.cols + 1, data = new Float32Array(rows.length * cols);
  rows.forEach((row, i) => {
    data[i * cols] = row;
    data.set(points.data.subarray(i * points.cols, (i + 1) * points.cols), i * cols + 1);
  });
  await writePart(path, data, [rows.length, cols]);
  return { rows, points };
}

/** Vectors of a range of nodes, panel by panel; `first` counts all nodes. */
async function carry(
  fit: NystromModel,
  source: NodeSource,
  range: NodeRange,
  search: PanelSearch | undefined,
  take: (vectors: { data: Float32Array }, first: number) => void,
): Promise<void> {
  for await (const panel of fit.panels(nodesOf(source, range), { search })) {
    take(panel.vectors, range.first + panel.first);
  }
}

function rangeName(kind: "nodes" | "candidates", { first, rows }: NodeRange): string {
  const padded = (node: number) => String(node).padStart(12, "0");
  return `${kind}-${padded(first)}-${padded(first + rows - 1)}`;
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
  return (await readPart(`${folder}/parts/${rangeName("nodes", range)}`))?.data ?? null;
}

/** Writes values and, when they are whole, a file beside them with their hash. */
async function writePart(path: string, data: Float32Array, shape: number[]): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeNpy(`${path}.npy`, data, shape);
  const written = await Deno.readFile(`${path}.npy`);
  const sha256 = createHash("sha256").update(written).digest("hex");
  await writeFileAtomic(`${path}.json`, JSON.stringify({ sha256, bytes: written.length }));
}

/** Whether values are there, as many bytes as were written. */
async function isPartThere(path: string): Promise<boolean> {
  const { bytes } = JSON.parse(await Deno.readTextFile(`${path}.json`));
  return (await Deno.stat(`${path}.npy`)).size === bytes;
}

/** The values, every byte as written; else null. */
async function readPart(path: string): Promise<{ data: Float32Array; shape: number[] } | null> {
  try {
    const { sha256 } = JSON.parse(await Deno.readTextFile(`${path}.json`));
    const found = createHash("sha256").update(await Deno.readFile(`${path}.npy`)).digest("hex");
    if (found !== sha256) return null;
    const { data, shape } = await readNpy(`${path}.npy`);
    return { data: data as Float32Array, shape };
  } catch {
    return null; // absent
  }
}
