/**
 * What scripts of one file use: options, photographs, features of models, brains, tables, pages.
 *
 * ```ts ignore
 * import { listPhotographs, patchFeatures, scriptOptions } from "@alignedcut/alignedcut/script";
 * ```
 *
 * @module
 */
export { type BrainSubject, readBrainSubject } from "./brain_subject.ts";
export { type ChartPage, type ChartSection, type ChartSpec, chartSvg, savePage } from "./chart_page.ts";
export { type CortexMap, cortexSvg } from "./cortex_map.ts";
export { type ExampleData, exampleData } from "./example_data.ts";
export {
  type FeatureOptions,
  type Hook,
  type MeanFeatures,
  meanFeatures,
  type PatchFeatures,
  patchFeatures,
} from "./model_features.ts";
export {
  encodePng,
  listPhotographs,
  type Photograph,
  type Picture,
  readPhotograph,
  savePng,
} from "./photographs.ts";
export { parseOptions, type ScriptOptions, scriptOptions, type ScriptValues } from "./script_options.ts";
export { colorsInSpace, loadSpace, type SavedSpace } from "./space.ts";
export {
  type Embedding,
  type EmbeddingOptions,
  type NodeResults,
  readEmbedding,
  saveNodes,
  saveTable,
  type TableColumn,
  type TableColumns,
} from "./tables.ts";
export type { Gpu } from "../gpu/device.ts";
export type { Matrix } from "../linalg/matrix.ts";
