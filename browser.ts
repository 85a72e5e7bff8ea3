/**
 * What computes, for browsers and for Deno alike: the device, matrices, statistics, the graph, maps and colors, alignment.
 *
 * Nothing here uses an API of Deno's or imports a package: it runs in a page or in a worker, wherever `navigator.gpu` is. The npm
 * package holds it as one file, `browser.js`, with the shaders inside.
 *
 * Functions that work in steps and return a promise take an `AbortSignal`, `signal`, and reject with its reason. Functions that
 * return no promise hold the thread until they are done, so that no signal could reach them: run them in a worker if they may
 * have to be stopped. They take seconds on one core from about 10,000 points on (`kmeans`, `discretize`), 3,000 points
 * (`trustworthiness`), 2,000 rows (`eigh`), 300 stimuli (`rsa`, `noiseCeiling`) or 1,000 images of 40,000 voxels (`brainScore`).
 *
 * @module
 */

// The device, and what it takes.
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
export { type KernelTime, timeKernels } from "./src/gpu/timing.ts";

// Matrices.
export { type Eigh, eigh, type EighMethod, type EighOptions } from "./src/linalg/eigh.ts";
export { matmul, type MatmulOptions } from "./src/linalg/matmul.ts";
export { type Matrix } from "./src/linalg/matrix.ts";
export { orthogonalizeColumns } from "./src/linalg/orthogonalize_columns.ts";
export { type Random, type RowNumbers } from "./src/linalg/random.ts";
export { rowNormalize } from "./src/linalg/row_normalize.ts";

// Statistics.
export { cka, type CkaOptions } from "./src/statistics/cka.ts";
export { kendallTauA, type Ranking, rankingOf, spearman } from "./src/statistics/rank_correlation.ts";
export {
  type Agreement,
  type Dissimilarities,
  type Interval,
  type NoiseCeiling,
  noiseCeiling,
  rdm,
  rsa,
  type RsaOptions,
} from "./src/statistics/rsa.ts";

// The graph: affinity, normalised cut, Nyström extension, segments; baselines and audit.
export { affinity, degrees } from "./src/graph/affinity.ts";
export { type AffinityOperatorOptions, type Storage } from "./src/graph/affinity_operator.ts";
export {
  type Approximation,
  type Audit,
  auditApproximation,
  type AuditOptions,
  type Connectivity,
  type ExactAnswer,
} from "./src/graph/audit.ts";
export { type Clicks, type ClickSimilarity, clickSimilarity } from "./src/graph/click_similarity.ts";
export { type Discretization, discretize, type DiscretizeOptions } from "./src/graph/discretize.ts";
export { type Kmeans, kmeans, type KmeansOptions } from "./src/graph/kmeans.ts";
export { nearestNeighbors, type NeighborOptions, type Neighbors } from "./src/graph/knn.ts";
export { type InvertedFile } from "./src/graph/ivf_landmarks.ts";
export { type LandmarkOptions, sampleLandmarks, type Sampling } from "./src/graph/landmarks.ts";
export { matrixSource, type NodeSource } from "./src/graph/node_source.ts";
export { type NormalizedCut, normalizedCut, type NormalizedCutOptions } from "./src/graph/normalized_cut.ts";
export {
  fitNystrom,
  type NystromFit,
  type NystromModel,
  nystromModel,
  type NystromOptions,
  type PanelOptions,
  type PanelSearch,
  type VectorPanel,
} from "./src/graph/nystrom.ts";
export { propagate } from "./src/graph/propagate.ts";
export { rayleighQuotients } from "./src/graph/rayleigh_quotients.ts";
export {
  type CutEvidence,
  type TwoWayCut,
  twoWayCut,
  type TwoWayCutOptions,
} from "./src/graph/two_way_cut.ts";
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

// Maps and colors.
export { colorsFromPoints } from "./src/embed/color.ts";
export {
  type SpectralColors,
  spectralColors,
  type SpectralColorsOptions,
} from "./src/embed/spectral_colors.ts";
export { type SpectralMap, spectralMap, type SpectralMapOptions } from "./src/embed/spectral_map.ts";
export { trustworthiness } from "./src/embed/trustworthiness.ts";
export { type Tsne } from "./src/embed/joint_probabilities.ts";
export { tsne, type TsneOptions } from "./src/embed/tsne.ts";

// Alignment of channels, ridge regression, brain scores.
export {
  type BrainScore,
  brainScore,
  type BrainScoreOptions,
  type RoiScore,
  roiScores,
} from "./src/align/brain_score.ts";
export { type AlignData, alignData } from "./src/align/data.ts";
export { crossValidationFolds, type Fold } from "./src/align/folds.ts";
export { linearEncoder, type LinearEncoderOptions } from "./src/align/linear_encoder.ts";
export {
  type AlignModel,
  type AlignSlot,
  applyAlign,
  brainSpace,
  predictResponses,
  slotTransform,
} from "./src/align/model.ts";
export { defaultAlphas, type Ridge, ridge, type RidgeOptions } from "./src/align/ridge.ts";
export { type SlotFit } from "./src/align/slot_ridge.ts";
export { type AlignedSpace, fitSlot, fitSpace, type SpaceOptions } from "./src/align/space.ts";
export { trainAlign } from "./src/align/train.ts";
export {
  type AlignEpoch,
  type AlignOptions,
  type AlignState,
  type FormerAlignOptions,
  type TrainedAlign,
} from "./src/align/train_options.ts";
