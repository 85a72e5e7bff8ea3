/** Training of channel alignment, METHOD (1)–(10). */
import { type Gpu, release } from "../gpu/mod.ts";
import { sumOfRows } from "../linalg/affine_rows.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  downloadMatrices,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowView,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { fork, type Random, seededRandom, shuffle } from "../linalg/random.ts";
import { adamwStep, createParameter, type Parameter, releaseParameter } from "./adamw.ts";
import { brainLoss } from "./brain_loss.ts";
import { channelLosses } from "./covariance_loss.ts";
import type { AlignData } from "./data.ts";
import { eigenConstraint, nodeGraph, releaseGraph } from "./eigen_constraint.ts";
import { type AlignModel, slotOffset } from "./model.ts";
import { type PartialLoss, total } from "./partial_loss.ts";
import { type Standardization, standardization, standardize } from "./standardize.ts";
import { openTarget, releaseTarget, targetGradient } from "./target_loss.ts";
import {
  bestOf,
  isConstrained,
  isOver,
  NAMES,
  schedule,
  shifted,
  split,
  start,
  startOf,
} from "./train_schedule.ts";
import {
  type AlignEpoch,
  type AlignOptions,
  byCurrentNames,
  type FormerAlignOptions,
  type TrainedAlign,
} from "./train_options.ts";

/** Steps after which to read their losses: a wait for the device, so that uploads do not pile up. */
const STEPS_AHEAD = 8;
/** Residual of the eigenvectors that the constraint is taken between. */
const EIGEN_TOLERANCE = 1e-5;

/**
 * Trains transforms W_l and an encoder β, ε by L = L_brain + λ_eigen L_eigen + λ_zero L_zero + λ_cov L_cov (METHOD (10))
 * with AdamW.
 *
 * The brain loss sees pooled features, which is exact: AvgPool(V W) = AvgPool(V) W. The other losses see nodes sampled
 * from one slot a step. W_l start as random (semi-)orthogonal maps, which keep the affinity of a slot's own nodes.
 *
 * @param data at least 2 images; responses of equal scale over voxels (z-scored, as the Algonauts release has them)
 * @returns the model of the epoch with the smallest validation loss
 * @throws RangeError when there are too few images or nodes or an option is outside its range, Error when the loss is no longer finite
 *
 * GPU memory: four times (Σ D_l · D′ + D′ · voxels) floats, plus batch · (Σ D_l + 2 voxels) and 8 · nodes²; whatever the
 * number of images. 36 slots × 768 channels, D′ = 768 and 40,000 voxels: 0.85 GB, and a quarter of that on the host. The
 * software adapter takes D′ · voxels floats more, a copy in textures.
 * The same options give the same bits on one adapter, also when stopped and continued.
 */
export async function trainAlign(
  gpu: Gpu,
  data: AlignData,
  given: AlignOptions & FormerAlignOptions = {},
): Promise<TrainedAlign> {
  const options = byCurrentNames(given);
  const { batch = 64, epochs = 10, rate = 4e-3, decay = 1, patience = 5, seed = 0 } = options;
  const width = options.start?.transforms.cols ?? options.width ??
    Math.max(...data.slots.map((slot) => slot.width));
  const { training, validation } = split(data.images, options.validation ?? 0.1, seed);
  const scale = await standardization(data, training);
  const found = await options.checkpoint?.load();
  const parameters = found
    ? found.parameters.map(([value, ...moments], i) =>
      createParameter(gpu, value, i < 2 ? decay : 0, NAMES[i], moments)
    )
    : start(gpu, data, scale, width, decay, options);
  const target = options.start && (options.targetWeight ?? 0) > 0
    ? await openTarget(
      gpu,
      data.slots,
      standardize(await data.pooled(training), data.slots, scale),
      startOf(data, scale, options.start)[0],
      options.targetWeight!,
    )
    : null;
  const history = found ? [...found.history] : [];
  let best = found?.best;
  const stepsAnEpoch = Math.ceil(training.length / batch);
  try {
    for (let epoch = history.length + 1; epoch <= epochs && !isOver(history, patience); epoch++) {
      const random = seededRandom(fork(seed, "epoch", epoch));
      const order = shuffle(training.slice(), random);
      const seen: AlignEpoch = {
        epoch,
        brain: 0,
        validation: 0,
        eigen: 0,
        zero: 0,
        covariance: 0,
        moved: [],
        unsolved: [],
      };
      const parts: PartialLoss[] = [];
      let samples = 0;
      for (let at = 0; at < stepsAnEpoch; at++) {
        const step = (epoch - 1) * stepsAnEpoch + at + 1;
        const images = order.subarray(at * batch, (at + 1) * batch);
        parts.push(await brainGradient(gpu, data, scale, images, parameters, options.huber));
        if (isConstrained(options, step)) {
          await constraintGradient(gpu, { data, scale, parameters, options, step, random, seen });
          samples++;
        }
        if (target) targetGradient(gpu, target, data.slots, parameters[0].value, parameters[0].gradient);
        const now = rate * schedule(step / (epochs * stepsAnEpoch));
        for (const parameter of parameters) adamwStep(gpu, parameter, now, step);
        if (parts.length === STEPS_AHEAD) seen.brain += await collect(gpu, parts);
      }
      seen.brain = (seen.brain + await collect(gpu, parts)) / (training.length * data.voxels);
      seen.validation = await validationLoss(gpu, data, scale, validation, parameters, batch, options.huber);
      if (!Number.isFinite(seen.brain + seen.validation)) {
        throw new Error(
          `The loss is not finite in epoch ${epoch}: lower the rate (now ${rate}) or check the responses.`,
        );
      }
      for (const name of ["eigen", "zero", "covariance"] as const) seen[name] /= Math.max(1, samples);
      history.push(seen);
      const values = await downloadMatrices(gpu, ...parameters.map(({ value }) => value));
      if (seen.validation <= Math.min(...history.map((epoch) => epoch.validation))) {
        best = values as [Matrix, Matrix, Matrix];
      }
      if (options.checkpoint) {
        const moments = await downloadMatrices(
          gpu,
          ...parameters.flatMap(({ first, second }) => [first, second]),
        );
        const kept = values.map((
          value,
          i,
        ): [Matrix, Matrix, Matrix] => [value, moments[2 * i], moments[2 * i + 1]]);
        await options.checkpoint.save({ history, parameters: kept, best: best! });
      }
      options.onEpoch?.(seen, epochs);
      options.signal?.throwIfAborted();
    }
  } finally {
    for (const parameter of parameters) releaseParameter(gpu, parameter);
    if (target) releaseTarget(gpu, target);
  }
  return { model: fold(data, scale, best!, options.start), history, bestEpoch: bestOf(history) };
}

/** Z = P W and Ŷ = Z β without ε, for standardised pooled features. */
function forward(
  gpu: Gpu,
  pooled: GpuMatrix,
  [w, beta]: Parameter[],
): { z: GpuMatrix; prediction: GpuMatrix } {
  const z = multiply(gpu, pooled, w.value);
  return { z, prediction: multiply(gpu, z, beta.value) };
}

async function upload(
  gpu: Gpu,
  data: AlignData,
  scale: Standardization,
  images: Uint32Array,
) {
  const pooled = standardize(await data.pooled(images), data.slots, scale);
  return {
    pooled: uploadMatrix(gpu, pooled, "pooled features"),
    response: uploadMatrix(gpu, await data.responses(images), "responses"),
  };
}

/** Sets the gradients of L_brain over a batch. */
async function brainGradient(
  gpu: Gpu,
  data: AlignData,
  scale: Standardization,
  images: Uint32Array,
  parameters: Parameter[],
  huber?: number,
): Promise<PartialLoss> {
  const [w, beta, epsilon] = parameters;
  const { pooled, response } = await upload(gpu, data, scale, images);
  const { z, prediction } = forward(gpu, pooled, parameters);
  const loss = brainLoss(gpu, prediction, epsilon.value, response, huber);
  multiply(gpu, z, prediction, { transposeA: true, out: beta.gradient });
  releaseMatrix(gpu, epsilon.gradient);
  epsilon.gradient = sumOfRows(gpu, prediction, 1);
  const ofZ = multiply(gpu, prediction, beta.value, { transposeB: true });
  multiply(gpu, pooled, ofZ, { transposeA: true, out: w.gradient });
  releaseMatrix(gpu, pooled, response, z, prediction, ofZ);
  return loss;
}

interface ConstraintStep {
  data: AlignData;
  scale: Standardization;
  parameters: Parameter[];
  options: AlignOptions;
  step: number;
  random: Random;
  /** What was seen in this epoch; added to. */
  seen: AlignEpoch;
}

/** Adds the gradients of the other losses, on nodes of one slot, to that of W. */
async function constraintGradient(
  gpu: Gpu,
  { data, scale, parameters, options, step, random, seen }: ConstraintStep,
) {
  const { eigenWeight = 1, zeroWeight = 0.01, covarianceWeight = 0.01, constrainEvery = 8 } = options;
  const { components = 10, nodes = 256, focal = false } = options;
  const slot = Math.floor(random() * data.slots.length), { width } = data.slots[slot];
  const sample = await data.nodes(slot, nodes, random);
  const inverse = 1 / scale.slots[slot];
  const features = uploadMatrix(
    gpu,
    { ...sample, data: sample.data.map((v) => v * inverse) },
    "sampled nodes",
  );
  const offset = slotOffset(data.slots, slot);
  const aligned = multiply(gpu, features, rowView(parameters[0].value, offset, width));
  const pull = (gradient: GpuMatrix) => {
    multiply(gpu, features, gradient, {
      transposeA: true,
      out: rowView(parameters[0].gradient, offset, width),
      accumulate: true,
    });
    releaseMatrix(gpu, gradient);
  };
  const channels = await channelLosses(gpu, aligned, {
    zero: zeroWeight * constrainEvery,
    covariance: covarianceWeight * constrainEvery,
  });
  pull(channels.gradient);
  seen.zero += channels.zero;
  seen.covariance += channels.covariance;
  if (!(eigenWeight > 0)) return releaseMatrix(gpu, features, aligned);
  const solver = { seed: fork(options.seed ?? 0, "constraint", step), tolerance: EIGEN_TOLERANCE };
  const [before, after] = await Promise.all( // one waits for the device while the other computes
    [features, aligned].map((nodes) => nodeGraph(gpu, nodes, components, solver)),
  );
  try {
    const kept = after.eigenvectors.cols;
    if (kept !== components) seen.moved.push({ slot, components: kept });
    const { loss, gradient, solved, residual } = await eigenConstraint(gpu, before, after, {
      weight: eigenWeight * constrainEvery,
      focal,
    });
    seen.eigen += loss;
    if (!solved) seen.unsolved.push({ slot, residual });
    if (gradient) pull(gradient);
  } finally {
    releaseGraph(gpu, before);
    releaseGraph(gpu, after);
  }
}

async function validationLoss(
  gpu: Gpu,
  data: AlignData,
  scale: Standardization,
  images: Uint32Array,
  parameters: Parameter[],
  batch: number,
  huber?: number,
): Promise<number> {
  const parts: PartialLoss[] = [];
  for (let at = 0; at < images.length; at += batch) {
    const { pooled, response } = await upload(gpu, data, scale, images.subarray(at, at + batch));
    const { z, prediction } = forward(gpu, pooled, parameters);
    parts.push(brainLoss(gpu, prediction, parameters[2].value, response, huber));
    releaseMatrix(gpu, pooled, response, z, prediction);
  }
  return await collect(gpu, parts) / (images.length * data.voxels);
}

async function collect(gpu: Gpu, parts: PartialLoss[]): Promise<number> {
  let sum = 0;
  for (const part of parts.splice(0)) {
    sum += await total(gpu, part);
    release(gpu, part.buffer);
  }
  return sum;
}

/** The model of unscaled features: W_l / s_l, and ε − (μ − means) W β. */
function fold(
  data: AlignData,
  { mean, slots }: Standardization,
  [w, beta, epsilon]: [Matrix, Matrix, Matrix],
  { means, shared }: Partial<AlignModel> = {},
): AlignModel {
  const width = w.cols, transforms = { ...w, data: w.data.slice() };
  const shift = new Float64Array(width);
  let row = 0;
  data.slots.forEach((slot, l) => {
    for (let k = 0; k < slot.width; k++, row++) {
      for (let c = 0; c < width; c++) {
        transforms.data[row * width + c] /= slots[l];
        shift[c] += (mean[row] - (means?.[row] ?? 0)) * transforms.data[row * width + c];
      }
    }
  });
  const folded = shifted(epsilon.data, shift, beta, -1);
  return {
    slots: data.slots,
    ...(means && { means }),
    ...(shared && { shared }),
    transforms,
    beta,
    epsilon: folded,
  };
}
