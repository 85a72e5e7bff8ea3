/**
 * The stage "eigenvectors" in steps: candidates for landmarks, sums over all nodes, the fit, the vectors of ranges of nodes,
 * and all of them joined. Each step leaves a file under its final name only when it is whole, and does nothing where that is
 * there, so that one process does all of them in turn or many do one each.
 */
import { reasonOf, writeFileAtomic } from "../data/files/atomic_write.ts";
import { chooseNeighborSearch } from "./neighbor_search.ts";
import { writeNpy } from "../data/formats/npy.ts";
import { isThere } from "../data/files/plain_file.ts";
import { loadNystrom, saveNystrom } from "../data/fits/nystrom_file.ts";
import { type Gpu, trim } from "../gpu/mod.ts";
import { openSums } from "../graph/fowlkes.ts";
import { gatherRows, type NodeRange, nodesOf, type NodeSource, PANEL_ROWS } from "../graph/node_source.ts";
import { fitNystrom, type NystromModel, type PanelSearch } from "../graph/nystrom.ts";
import { alignedSource, openRawFeatures } from "./aligned_source.ts";
import { candidateBlocks, candidatesOf, chosenLandmarks } from "./graph_landmarks.ts";
import { keptPart, noteParts, rangeName, readPart, writePart } from "./graph_parts.ts";
import type { PipelineOptions } from "./pipeline_options.ts";
import type { FeatureManifest } from "../data/features/extract_parts.ts";

/** Told the step, and how much of it is done. */
type OnProgress = (step: string, done: number, total: number) => void;

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
    const names = range.rows === 0 ? [] : [rangeName("nodes", range)];
    if (range.rows === 0 || await readRange(folder, range)) {
      return await noteParts(folder, "propagate", part, parts, names);
    }
    const fit = await loadNystrom(gpu, `${folder}/fit.arrow`), { components } = options;
    const all = new Float32Array(range.rows * components);
    const { search } = await chooseNeighborSearch(gpu, fit, source, options.knn);
    await carry(fit, source, range, search, ({ data }, first) => {
      all.set(data, (first - range.first) * components);
    });
    await writePart(folder, names[0], all, [range.rows, components]);
    await noteParts(folder, "propagate", part, parts, names);
  });
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
  options: PipelineOptions,
  onProgress: OnProgress,
): Promise<NystromModel> {
  const { neighbors, knn, components, sampling, seed } = options;
  const path = `${folder}/fit.arrow`;
  const there = await isThere(path)
    ? await loadNystrom(gpu, path).catch((error) => console.error(`${error.message} It is fitted again now.`))
    : null;
  if (there) return there;
  const chosen = await chosenLandmarks(
    gpu,
    folder,
    source,
    options,
    (done, total) => onProgress("candidates", done, total),
  );
  const fit = await fitNystrom(gpu, source, {
    landmarks: chosen,
    neighbors,
    components,
    sampling,
    seed,
    search: knn === "groups" ? "groups" : "exact",
    onProgress: (done, wanted) => onProgress("landmarks", done, wanted),
    keepSums: (name, make) => keptPart(folder, name, make),
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
    await noteParts(folder, "landmarks", part, parts, names);
  });
}

/** A sum of the fit on landmarks: of affinities, or of the products that these are needed for. */
export type SumStep = "affinities" | "products";

/**
 * The sums over every `parts`th block of nodes, for `fitGraph` to add up; a block that is there is left as it is. Only where
 * eigenvectors are extended from all landmarks. Those of products need those of the affinities of all blocks.
 */
export async function sumBlocksOf(
  gpu: Gpu,
  folder: string,
  manifests: FeatureManifest[],
  options: PipelineOptions,
  step: SumStep,
  part: number,
  parts: number,
): Promise<void> {
  await withSource(gpu, manifests, options, async (source) => {
    const features = await gatherRows(source, await chosenLandmarks(gpu, folder, source, options));
    const names: string[] = [];
    const sums = openSums(gpu, source, features, (name, make) => {
      if (name.startsWith(step)) names.push(name);
      return keptPart(folder, name, make);
    });
    for (const [at, block] of sums.blocks.entries()) if (at % parts === part) await sums[step](block);
    await noteParts(folder, step, part, parts, names);
  });
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

/** Ranges that have vectors, in the order of their nodes. */
async function rangesThere(folder: string): Promise<NodeRange[]> {
  const ranges: NodeRange[] = [];
  try {
    for await (const { name } of Deno.readDir(`${folder}/parts/nodes`)) {
      const found = /^(\d+)-(\d+)\.json$/.exec(name);
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
  return (await readPart<Float32Array>(folder, rangeName("nodes", range)))?.data ?? null;
}
