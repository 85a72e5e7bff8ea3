/** Ridge regression from features to voxels, its penalty chosen for every voxel by cross-validation. */
import { rowRange } from "../../../src/linalg/host_matrix.ts";
import { ridge } from "../../../src/align/ridge.ts";
import { brainScore } from "../../../src/align/brain_score.ts";
import type { Matrix } from "../../../src/linalg/matrix.ts";
import { fillRandom, randomMatrix, seededRandom } from "../../../src/linalg/random.ts";
import { loadMatrix, mixture, saveMatrix } from "../mixture.ts";
import type { OpenOwnWork } from "../work.ts";
import type { WorkOptions } from "../messages.ts";
import type { Figures, WorkPlan } from "../work_plan.ts";

const PENALTIES = 10, FOLDS = 5, RANK = 20;
const SMALL = { images: 1000, heldOut: 200, features: 36 * 96, voxels: 2000 };
/** 36 slots of 768 channels, and as many images and voxels as the Natural Scenes Dataset has of a subject. */
const WHOLE = { images: 9000, heldOut: 1000, features: 36 * 768, voxels: 40_000 };

const sizes = ({ images, features, voxels }: typeof SMALL) =>
  `${images.toLocaleString("en")} images × ${features.toLocaleString("en")} features, ` +
  `${voxels.toLocaleString("en")} voxels, ${PENALTIES} penalties`;

function plan(name: string, size: typeof SMALL): WorkPlan {
  return {
    name,
    title: `ridge regression, ${sizes(size)}`,
    own: ["ours"],
    peers: [{ name: "himalaya", runtime: "python" }],
    rounds: 3,
    options: () => ({ ...size, penalties: PENALTIES, folds: FOLDS }),
    prepare,
    /** Mean r over voxels of responses that nobody was fitted on. */
    async judge(_gpu, results, files) {
      const truth = await loadMatrix(files.unseenResponses), figures: Figures = {};
      for (const [name, path] of Object.entries(results)) {
        figures[name] = { r: brainScore(await loadMatrix(path), truth).mean };
      }
      return figures;
    },
  };
}

export const plans: WorkPlan[] = [
  plan("ridge", SMALL),
  { ...plan("ridge-whole", WHOLE), rounds: 1, onlyWhenNamed: "software" },
];

/** Features around 40 centres, and responses to 20 random directions of them, half of their variance noise. */
async function prepare(folder: string, options: WorkOptions): Promise<Record<string, string>> {
  const { images, heldOut, features, voxels } = options as typeof SMALL, random = seededRandom(1);
  const x = mixture(images + heldOut, features, 40, 1, 0);
  const directions = fillRandom(new Float32Array(features * RANK), random);
  const weights = fillRandom(new Float32Array(RANK * voxels), random);
  const y = randomMatrix(x.rows, voxels, random);
  const scale = 1 / Math.sqrt(features * RANK), along = new Float64Array(RANK);
  for (let i = 0; i < x.rows; i++) {
    along.fill(0);
    for (let c = 0; c < features; c++) {
      for (let r = 0; r < RANK; r++) along[r] += scale * x.data[i * features + c] * directions[c * RANK + r];
    }
    for (let v = 0; v < voxels; v++) {
      for (let r = 0; r < RANK; r++) y.data[i * voxels + v] += along[r] * weights[r * voxels + v];
    }
  }
  return {
    x: await saveMatrix(`${folder}/x.npy`, rowRange(x, 0, images)),
    y: await saveMatrix(`${folder}/y.npy`, rowRange(y, 0, images)),
    unseen: await saveMatrix(`${folder}/unseen.npy`, rowRange(x, images, heldOut)),
    unseenResponses: await saveMatrix(`${folder}/unseen_responses.npy`, rowRange(y, images, heldOut)),
  };
}

/** 0.01 to 10 times the images, in equal steps of the logarithm; the peer has the same. */
function penaltiesOf({ images, penalties }: WorkOptions): number[] {
  const last = Number(penalties) - 1;
  return Array.from({ length: last + 1 }, (_, i) => Number(images) * 10 ** (3 * i / last - 2));
}

export const open: OpenOwnWork = async (gpu, files, options) => {
  const x = await loadMatrix(files.x), y = await loadMatrix(files.y), unseen = await loadMatrix(files.unseen);
  let predicted: Matrix;
  return {
    async run() {
      const fit = await ridge(gpu, x, y, { alphas: penaltiesOf(options), folds: Number(options.folds) });
      predicted = await fit.predict(unseen);
    },
    async save(path) {
      await saveMatrix(path, predicted);
    },
  };
};
