/**
 * The stage "eigenvectors" in steps: candidates for landmarks, sums over all nodes, the fit, and the eigenvectors
 * of ranges of nodes. Each step leaves a file under its final name only when it is whole, and does nothing where that is
 * there, so that one process does all of them in turn or many do one each.
 */
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { chooseNeighborSearch } from "./neighbor_search.ts";
import type { SizesByFolder } from "../data/files/file_look.ts";
import { isThere } from "../data/files/plain_file.ts";
import { loadNystrom, saveNystrom } from "../data/fits/nystrom_file.ts";
import { trim } from "../gpu/mod.ts";
import { openSums, rangeName } from "../graph/fowlkes.ts";
import { gatherRows, nodesOf, type NodeSource } from "../graph/node_source.ts";
import { fitNystrom, type NystromModel, type PanelSearch } from "../graph/nystrom.ts";
import { alignedSource, openRawFeatures } from "./aligned_source.ts";
import { candidateBlocks, candidatesOf, chosenLandmarks, type GraphWork } from "./graph_landmarks.ts";
import { cachedPart, partFiles } from "./graph_parts.ts";
import { makeBatches, makeDataset, type TaskShare } from "./node_batches.ts";
import type { DatasetColumns, DatasetFile } from "../data/features/node_dataset.ts";
import type { FeatureSlot } from "../data/features/feature_source.ts";

/** Called with the step, and how much of it is done. */
type OnProgress = (step: string, done: number, total: number) => void;

/** Everything in turn: the fit, and the eigenvectors of all nodes that are not there. */
export async function solveGraph(
  work: GraphWork,
  onProgress: OnProgress = () => {},
): Promise<void> {
  await withSource(work, async (source, slots) => {
    const { gpu, folder, options } = work, fit = await fitted(work, source, onProgress);
    const { search, reason } = await chooseNeighborSearch(gpu, fit, source, options.knn);
    await makeDataset(
      folder,
      "eigenvectors",
      slots,
      (file) => vectorsOf(fit, source, file, search),
      (nodes) => onProgress("propagate", nodes, source.rows),
    );
    await writeFileAtomic(`${folder}/neighbors.txt`, `${reason}\n`);
  });
}

/** The fit alone. */
export async function fitGraph(
  work: GraphWork,
): Promise<void> {
  await withSource(work, (source) => fitted(work, source, () => {}));
}

/** The eigenvectors in every `tasks`th batch of files, for `solveGraph` to take over; what is there is left as it is. @returns its files */
export async function propagateRange(
  work: GraphWork,
  { task, tasks }: TaskShare,
): Promise<SizesByFolder> {
  return await withSource(work, async (source, slots) => {
    const { gpu, folder, options } = work, fit = await loadNystrom(gpu, `${folder}/fit.arrow`);
    const { search } = await chooseNeighborSearch(gpu, fit, source, options.knn);
    const columnsOf = (file: DatasetFile) => vectorsOf(fit, source, file, search);
    return await makeBatches(folder, "eigenvectors", slots, columnsOf, { task, tasks });
  });
}

/** Eigenvectors of the nodes of one file, computed as they are by one process alone: panels begin with the file. */
async function vectorsOf(
  fit: NystromModel,
  source: NodeSource,
  { firstNode: first, rows }: DatasetFile,
  search: PanelSearch | undefined,
): Promise<DatasetColumns> {
  const { data: vectors, cols } = await fit.transform(nodesOf(source, { first, rows }), { search });
  return { vector: { vectors, cols } };
}

async function withSource<T>(
  { gpu, manifests, options: { align } }: GraphWork,
  use: (source: NodeSource, slots: FeatureSlot[]) => Promise<T>,
): Promise<T> {
  await using raw = await openRawFeatures(manifests);
  try {
    return await use(alignedSource(gpu, raw, align), raw.slots);
  } finally {
    trim(gpu);
  }
}

/** The fit that is there, or is made now. */
async function fitted(work: GraphWork, source: NodeSource, onProgress: OnProgress): Promise<NystromModel> {
  const { gpu, folder, options: { neighbors, knn, components, sampling, seed } } = work;
  const path = `${folder}/fit.arrow`;
  const there = await isThere(path)
    ? await loadNystrom(gpu, path).catch((error) => console.error(`${error.message} It is fitted again now.`))
    : null;
  if (there) return there;
  const onCandidates = (done: number, total: number) => onProgress("candidates", done, total);
  const fit = await fitNystrom(gpu, source, {
    landmarks: await chosenLandmarks(work, source, onCandidates),
    neighbors,
    components,
    sampling,
    seed,
    search: knn === "ivf" ? "ivf" : "exact",
    onProgress: (done, wanted) => onProgress("landmarks", done, wanted),
    keepSums: (name, make) => cachedPart(folder, name, make),
  });
  trim(gpu);
  assertWhole(fit, components);
  await saveNystrom(path, fit);
  return fit;
}

/** @throws RangeError "The graph has 9 components, 20 were asked for: …" */
export function assertWhole({ missing = 0 }: NystromModel, components: number): void {
  if (missing === 0) return;
  const found = components - missing;
  throw new RangeError(
    `The graph has ${found} components, ${components} were asked for: give --components ${found}.`,
  );
}

/**
 * Candidates for landmarks out of every `tasks`th block of nodes, for `fitGraph` to merge; a block that is there is left as it
 * is. Only where landmarks are farthest points.
 *
 * @returns its files
 */
export async function findCandidates(
  work: GraphWork,
  { task, tasks }: TaskShare,
): Promise<SizesByFolder> {
  return await withSource(work, async (source) => {
    const count = Math.min(work.options.landmarks, source.rows), names: string[] = [];
    for (const [at, range] of candidateBlocks(source.rows, count).entries()) {
      if (at % tasks !== task) continue;
      await candidatesOf(work, source, range);
      names.push(rangeName("candidates", range));
    }
    return await partFiles(work.folder, names);
  });
}

/** A sum of the fit on landmarks: of affinities, or of the products that these are needed for. */
export type SumStep = "affinities" | "products";

/**
 * The sums over every `tasks`th block of nodes, for `fitGraph` to add up; a block that is there is left as it is. Only where
 * eigenvectors are extended from all landmarks. Those of products need those of the affinities of all blocks.
 *
 * @returns its files
 */
export async function sumBlocksOf(
  work: GraphWork,
  step: SumStep,
  { task, tasks }: TaskShare,
): Promise<SizesByFolder> {
  return await withSource(work, async (source) => {
    const { gpu, folder } = work, names: string[] = [];
    const features = await gatherRows(source, await chosenLandmarks(work, source));
    const sums = openSums(gpu, source, features, (name, make) => {
      if (name.startsWith(step)) names.push(name);
      return cachedPart(folder, name, make);
    });
    for (const [at, block] of sums.blocks.entries()) if (at % tasks === task) await sums[step](block);
    return await partFiles(folder, names);
  });
}
