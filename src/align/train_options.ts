/** Settings and results of training an alignment. */
import { assertKnown, assertNumber, assertWhole, currentNames } from "../linalg/check_options.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { AlignModel } from "./model.ts";

/** Settings of `trainAlign`; weights as in METHOD (10). */
export interface AlignOptions {
  /** D′; default the channels of the widest slot. */
  width?: number;
  /** Weight of L_eigen; default 1. */
  eigenWeight?: number;
  /** Weight of L_zero; default 0.01. */
  zeroWeight?: number;
  /** Weight of L_cov; default 0.01. */
  covarianceWeight?: number;
  /** The focal form of L_eigen, METHOD (8); default false. */
  focal?: boolean;
  /** Residual below which the brain loss is quadratic; default 0: L1 everywhere. */
  huber?: number;
  /** Number of eigenvectors that the constraint preserves; default 10. */
  components?: number;
  /** Nodes sampled from one slot for the constraints; default 256. */
  nodes?: number;
  /** The constraints are evaluated every N steps, with N times their weight; default 8. */
  constrainEvery?: number;
  /** Maximum number of passes over the images; default 10. */
  epochs?: number;
  /** Images per step; default 64. */
  batch?: number;
  /** Highest learning rate, after a warm-up of a twentieth of the steps; then a cosine to 0. Default 4e-3. */
  rate?: number;
  /** Weight decay of W and β; default 1. */
  decay?: number;
  /** Share of the images held out for early stopping; default 0.1. */
  validation?: number;
  /** Epochs without a smaller validation loss before training stops; default 5. */
  patience?: number;
  /** Model to start from, for example from `fitSpace`; its means stay fixed. Default: random transforms. Not in the paper. */
  start?: AlignModel;
  /**
   * With `start`: weight of L_target = (1/L) Σ_l ‖P_l (W_l − W_l⁰)‖² / ‖P_l W_l⁰‖² with W⁰ of `start` and a slot's pooled
   * features P_l, which holds each slot near its own target; default 0.
   */
  targetWeight?: number;
  /** Default 0. */
  seed?: number;
  /** Where a stopped run continues from; saved to after every epoch. */
  checkpoint?: {
    load(): Promise<AlignState | null>;
    save(state: AlignState): Promise<void>;
  };
  /** Called after every epoch. */
  onEpoch?: (epoch: AlignEpoch, epochs: number) => void;
  /** Stops the training after an epoch, which its checkpoint keeps; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The names of `AlignOptions`. */
const NAMES: Record<keyof AlignOptions, true> = {
  width: true,
  eigenWeight: true,
  zeroWeight: true,
  covarianceWeight: true,
  focal: true,
  huber: true,
  components: true,
  nodes: true,
  constrainEvery: true,
  epochs: true,
  batch: true,
  rate: true,
  decay: true,
  validation: true,
  patience: true,
  start: true,
  targetWeight: true,
  seed: true,
  checkpoint: true,
  onEpoch: true,
  signal: true,
};

/** Former names of options, which one version still accepts. */
const FORMER_NAMES = {
  lambdaEigen: "eigenWeight",
  lambdaZero: "zeroWeight",
  lambdaCovariance: "covarianceWeight",
  lambdaTarget: "targetWeight",
} as const;

/** Former names of `AlignOptions`, `lambdaEigen` for `eigenWeight` and so on; the next version will not accept them. */
export type FormerAlignOptions = {
  [name in "lambdaEigen" | "lambdaZero" | "lambdaCovariance" | "lambdaTarget"]?: number;
};

/** The options under their current names, checked; warns of each former one. */
export function byCurrentNames(options: AlignOptions & FormerAlignOptions): AlignOptions {
  const current = currentNames("trainAlign", options, FORMER_NAMES);
  assertKnown<AlignOptions>("trainAlign", current, NAMES);
  assertOptions(current);
  return current;
}

/** @throws RangeError "batch is 0: give a whole number, 1 or more." */
function assertOptions(options: AlignOptions): void {
  for (
    const name of ["width", "components", "nodes", "constrainEvery", "epochs", "batch", "patience"] as const
  ) {
    if (options[name] !== undefined) assertWhole(name, options[name], 1);
  }
  const weights = [
    "eigenWeight",
    "zeroWeight",
    "covarianceWeight",
    "targetWeight",
    "huber",
    "decay",
  ] as const;
  for (const name of weights) {
    if (options[name] !== undefined) {
      assertNumber(name, options[name], "a number, 0 or more", (value) => value >= 0);
    }
  }
  const { rate = 1, validation = 0.5 } = options;
  assertNumber("rate", rate, "a number, 0 or more", (value) => value >= 0);
  assertNumber("validation", validation, "a share between 0 and 1", (value) => value > 0 && value < 1);
}

/** One pass over the training images. */
export interface AlignEpoch {
  /** 1 is the first. */
  epoch: number;
  /** Mean brain loss over the training images, during the epoch. */
  brain: number;
  /** Mean brain loss over the validation images after it. */
  validation: number;
  /** Mean L_eigen over the samples of this epoch, unweighted; 0 where its weight is 0. */
  eigen: number;
  /** Mean L_zero, likewise. */
  zero: number;
  /** Mean L_cov, likewise. */
  covariance: number;
  /** Samples whose subspace was moved to a gap: slot and components. */
  moved: { slot: number; components: number }[];
  /** Samples whose gradient of L_eigen could not be solved for and was left out: slot, and residual of the solve. */
  unsolved: { slot: number; residual: number }[];
}

/** Everything that training needs to continue, bit for bit. */
export interface AlignState {
  /** The epochs done. */
  history: AlignEpoch[];
  /** W, β and ε, each with its two running means. */
  parameters: [Matrix, Matrix, Matrix][];
  /** W, β and ε of the epoch with the smallest validation loss. */
  best: [Matrix, Matrix, Matrix];
}

/** A trained alignment and its history. */
export interface TrainedAlign {
  /** What was learned. */
  model: AlignModel;
  /** All epochs. */
  history: AlignEpoch[];
  /** The epoch whose parameters the model has. */
  bestEpoch: number;
}
