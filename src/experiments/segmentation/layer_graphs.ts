/** Eigenvectors of single layers, before and after alignment, each layer's tokens of all images in a graph of its own. */
import { basename, dirname } from "node:path";
import { type AlignModel, applyAlign } from "../../align/model.ts";
import { findSlot } from "../../align/slots.ts";
import { readFeatures } from "../../data/features/feature_shards.ts";
import { hashOfModules } from "../../data/files/code_hash.ts";
import { readNpy, writeNpy } from "../../data/formats/npy.ts";
import type { Stages } from "../../data/cache/stages.ts";
import { type Gpu, trim } from "../../gpu/mod.ts";
import { matrixSource } from "../../graph/node_source.ts";
import { fitNystrom } from "../../graph/nystrom.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { mapConcurrently } from "../../data/files/map_concurrently.ts";
import { type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { layersLike } from "../shared/relative_layers.ts";
import { ORACLE_COMPONENTS } from "../shared/oracle_segmentation.ts";

/** An alignment with its name in results.json, or none. */
export interface GraphCondition {
  /** "before", "aligned" or "aligned_no_constraint". */
  name: string;
  /** Layers of twelve, and what lies as deep in other models, to cluster; all when left out. */
  layers?: readonly number[];
  /** Absent: features as the model gives them. */
  align?: { model: AlignModel; key: string };
}

/** Eigenvectors of one layer. */
export interface LayerGraph {
  /** Index into the pipeline's slots. */
  slot: number;
  /** (images × tokens) × C. */
  eigenvectors: Matrix;
}

/**
 * Landmarks of a graph of one layer, and the neighbours that the other nodes take their vectors from: of the numbers tried,
 * ten give the mIoU closest to that of the exact cut, more blur the borders.
 */
export const GRAPH_LANDMARKS = 600, GRAPH_NEIGHBORS = 10;

/** Layers side by side; one by itself leaves the device idle for half of the time. */
const LANES = 3;

/**
 * Clusters layer by layer the tokens of the first `images` images; cached under `stages`.
 *
 * @param images how many of the pipeline's
 * @returns one graph a layer, in the order of the pipeline's slots
 */
export async function layerGraphs(
  gpu: Gpu,
  pipeline: Pipeline,
  stages: Stages,
  condition: GraphCondition,
  images: number,
  seed: number,
  onProgress?: (done: number, total: number) => void,
): Promise<LayerGraph[]> {
  const found: LayerGraph[] = [];
  const wantedOf = (depth: number) => {
    const some = condition.layers && layersLike(condition.layers, depth);
    return ({ layer }: { layer: number }) => some?.includes(layer) ?? true;
  };
  const total = pipeline.manifests.reduce(
    (sum, { layers }) => sum + layers.filter(wantedOf(layers.length)).length,
    0,
  );
  for (const { model, layers } of pipeline.manifests) {
    const wanted = wantedOf(layers.length);
    const used = layers.filter(wanted), rows = images * pipeline.tokens;
    if (used.length === 0) continue;
    const settings = {
      landmarks: Math.min(GRAPH_LANDMARKS, rows),
      neighbors: Math.min(GRAPH_NEIGHBORS, rows),
      components: ORACLE_COMPONENTS,
      sampling: "uniform" as const,
      seed,
    };
    let done = 0;
    const folder = await stages.run(`segmentation-${condition.name}-${model}`, {
      code: await hashOfModules(["src/experiments/segmentation/layer_graphs.ts"]),
      features: basename(dirname(used[0].path)),
      layers: used.map(({ layer }) => layer),
      align: condition.align?.key ?? null,
      images,
      ...settings,
    }, async (folder) => {
      const cuts = await mapConcurrently(used.length, LANES, async (i) => {
        const features = await readFeatures(used[i].path, rows);
        const source = matrixSource(await alignedBy(gpu, condition, model, used[i].layer, features));
        const { data } = await (await fitNystrom(gpu, source, { ...settings, search: "exact" })).transform(
          source,
        );
        onProgress?.(found.length + ++done, total);
        return data;
      });
      trim(gpu);
      const all = new Float32Array(used.length * rows * ORACLE_COMPONENTS);
      cuts.forEach((data, i) => all.set(data, i * rows * ORACLE_COMPONENTS));
      await writeNpy(`${folder}/eigenvectors.npy`, all, [used.length, rows, ORACLE_COMPONENTS]);
    });
    const data = (await readNpy(`${folder}/eigenvectors.npy`)).data as Float32Array;
    const size = rows * ORACLE_COMPONENTS;
    const slots = slotsOf(pipeline, model).filter((slot) => wanted(pipeline.slots[slot]));
    slots.forEach((slot, i) => {
      const own = data.subarray(i * size, (i + 1) * size);
      found.push({ slot, eigenvectors: { data: own, rows, cols: ORACLE_COMPONENTS } });
    });
  }
  return found;
}

async function alignedBy(
  gpu: Gpu,
  { align }: GraphCondition,
  model: string,
  layer: number,
  features: Matrix,
): Promise<Matrix> {
  if (!align) return features;
  return await applyAlign(gpu, align.model, findSlot(align.model.slots, model, layer), features);
}
