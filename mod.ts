/**
 * AlignedCut for Deno: normalised cuts of vision-transformer features, computed in WGSL on WebGPU.
 *
 * @module
 */
export {
  type AdapterSummary,
  closeGpu,
  type Gpu,
  type GpuOptions,
  type GpuState,
  type KernelTimer,
  openGpu,
  type Variant,
} from "./src/gpu/device.ts";
export { type AffinityOperatorOptions, type Storage } from "./src/graph/affinity_operator.ts";
export { type KernelTime, timeKernels } from "./src/gpu/timing.ts";
export { type Matrix } from "./src/linalg/matrix.ts";
export { matmul, type MatmulOptions } from "./src/linalg/matmul.ts";
export { rowNormalize } from "./src/linalg/row_normalize.ts";
export { affinity, degrees } from "./src/graph/affinity.ts";
export { type NormalizedCut, normalizedCut, type NormalizedCutOptions } from "./src/graph/normalized_cut.ts";
export { nearestNeighbors, type NeighborOptions, type Neighbors } from "./src/graph/knn.ts";
export { propagate } from "./src/graph/propagate.ts";
export { tsne, type TsneOptions } from "./src/embed/tsne.ts";
export { trustworthiness } from "./src/embed/trustworthiness.ts";
export { colorsFromPoints } from "./src/embed/color.ts";
export { matrixSource, type NodeSource } from "./src/graph/node_source.ts";
export { type LandmarkOptions, sampleLandmarks, type Sampling } from "./src/graph/landmarks.ts";
export {
  fitNystrom,
  type NystromFit,
  type NystromModel,
  nystromModel,
  type NystromOptions,
  type PanelSearch,
  type VectorPanel,
} from "./src/graph/nystrom.ts";
export type { Shortlist } from "./src/graph/landmark_groups.ts";
export { orthogonalizeColumns } from "./src/linalg/orthogonalize_columns.ts";
export {
  type SpectralColors,
  spectralColors,
  type SpectralColorsOptions,
} from "./src/embed/spectral_colors.ts";
export {
  type AlignModel,
  type AlignSlot,
  applyAlign,
  brainSpace,
  predictResponses,
  slotTransform,
} from "./src/align/model.ts";
export { type AlignData, alignData } from "./src/align/data.ts";
export { type Random } from "./src/linalg/random.ts";
export { trainAlign } from "./src/align/train.ts";
export { type AlignedSpace, fitSlot, fitSpace, type SpaceOptions } from "./src/align/space.ts";
export { type Ridge, ridge, type RidgeOptions } from "./src/align/ridge.ts";
export {
  type BrainScore,
  brainScore,
  type BrainScoreOptions,
  type RoiScore,
} from "./src/align/brain_score.ts";
export { type SpectralMap, spectralMap, type SpectralMapOptions } from "./src/embed/spectral_map.ts";
export { defaultLambdas } from "./src/align/ridge.ts";
export { roiScores } from "./src/align/brain_score.ts";
export { crossValidationFolds, type Fold } from "./src/align/folds.ts";
export { linearEncoder, type LinearEncoderOptions } from "./src/align/linear_encoder.ts";
export { cka, type CkaOptions } from "./src/statistics/cka.ts";
export {
  type Agreement,
  type Interval,
  type NoiseCeiling,
  noiseCeiling,
  rdm,
  rsa,
  type RsaOptions,
} from "./src/statistics/rsa.ts";
export { kendallTauA, type Ranking, rankingOf, spearman } from "./src/statistics/rank_correlation.ts";
export { type Discretization, discretize, type DiscretizeOptions } from "./src/graph/discretize.ts";
export { type Kmeans, kmeans, type KmeansOptions } from "./src/graph/kmeans.ts";
export {
  type CutEvidence,
  type TwoWayCut,
  twoWayCut,
  type TwoWayCutOptions,
} from "./src/graph/two_way_cut.ts";
export { type Clicks, type ClickSimilarity, clickSimilarity } from "./src/graph/click_similarity.ts";
export {
  type Approximation,
  type Audit,
  auditApproximation,
  type AuditOptions,
  type Connectivity,
  type ExactAnswer,
} from "./src/graph/audit.ts";
export { rayleighQuotients } from "./src/graph/rayleigh_quotients.ts";
export {
  type EigenvectorMethod,
  type MethodOptions,
  type MethodResult,
} from "./src/graph/baselines/eigenvector_method.ts";
export { exactCut } from "./src/graph/baselines/exact_cut.ts";
export { fowlkesNystrom } from "./src/graph/baselines/fowlkes_nystrom.ts";
export {
  descendOnBatches,
  type DescentOptions,
  minibatchGradient,
} from "./src/graph/baselines/minibatch_gradient.ts";
export {
  parseOptions,
  type ScriptOptions,
  scriptOptions,
  type ScriptValues,
} from "./src/scripting/script_options.ts";
export {
  encodePng,
  listPhotographs,
  type Picture,
  readPhotograph,
  savePng,
} from "./src/scripting/photographs.ts";
export {
  type Hook,
  type MeanFeatures,
  meanFeatures,
  type PatchFeatures,
  patchFeatures,
} from "./src/scripting/model_features.ts";
export { type BrainSubject, readBrainSubject } from "./src/scripting/brain_subject.ts";
export { type CortexMap, cortexSvg } from "./src/scripting/cortex_map.ts";
export { colorsInSpace, loadSpace, type SavedSpace } from "./src/scripting/space.ts";
export { type ExampleData, exampleData } from "./src/scripting/example_data.ts";
export {
  type Embedding,
  type EmbeddingOptions,
  type NodeResults,
  readEmbedding,
  saveNodes,
  saveTable,
  type TableColumn,
  type TableColumns,
} from "./src/scripting/tables.ts";
export {
  type ChartPage,
  type ChartSection,
  type ChartSpec,
  chartSvg,
  savePage,
} from "./src/scripting/chart_page.ts";
export { type SlotFit } from "./src/align/slot_ridge.ts";
export {
  type AlignEpoch,
  type AlignOptions,
  type AlignState,
  type TrainedAlign,
} from "./src/align/train_options.ts";
export { type Tsne } from "./src/embed/joint_probabilities.ts";
