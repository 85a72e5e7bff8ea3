/** One epoch of channel alignment, beside the straightforward form that transforms every token before it averages. */
import type { PooledFeatures } from "../../../src/data/features/pooled_features.ts";
import { rowRange, takeRows } from "../../../src/linalg/host_matrix.ts";
import { release } from "../../../src/gpu/mod.ts";
import { adamwStep, createParameter, releaseParameter } from "../../../src/align/adamw.ts";
import { brainLoss } from "../../../src/align/brain_loss.ts";
import { alignData } from "../../../src/align/data.ts";
import type { AlignSlot } from "../../../src/align/model.ts";
import { total } from "../../../src/align/partial_loss.ts";
import { startingTransforms } from "../../../src/align/starting_transforms.ts";
import { trainAlign } from "../../../src/align/train.ts";
import { sumOfRows } from "../../../src/linalg/affine_rows.ts";
import { multiply } from "../../../src/linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  downloadMatrix,
  type Matrix,
  releaseMatrix,
  rowView,
  uploadMatrix,
} from "../../../src/linalg/matrix.ts";
import { fillRandom, randomMatrix, seededRandom } from "../../../src/linalg/random.ts";
import { loadMatrix, saveMatrix } from "../mixture.ts";
import type { OpenOwnWork, OpenWork } from "../work.ts";
import type { WorkPlan } from "../work_plan.ts";

const BATCH = 64, RATE = 4e-3, HELD_OUT = 0.1;
/** Class token and patches of the built-in models' images. */
const TOKENS = 197;
const EVERY_TOKEN = "every token transformed";

export const plans: WorkPlan[] = [{
  name: "align-epoch",
  title: "channel alignment, one epoch, synthetic dataset",
  own: ["ours", EVERY_TOKEN],
  peers: [],
  rounds: 3,
  fewer: { [EVERY_TOKEN]: 2 },
  options: () => ({ tokens: TOKENS }),
  prepare,
}];

/** The synthetic dataset's pooled features; made up in the same shapes where its packages are not installed. */
async function prepare(folder: string): Promise<Record<string, string>> {
  const { slots, pooled, responses, tokens } = await syntheticInputs().catch((error) => {
    console.error(`align-epoch takes made-up features in the dataset's shapes: ${(error as Error).message}`);
    return madeUp();
  });
  await Deno.writeTextFile(`${folder}/slots.json`, JSON.stringify(slots));
  const rows = tokens.reduce((sum, slot) => sum + slot.rows, 0), cols = tokens[0].cols;
  const all = { data: new Float32Array(rows * cols), rows, cols };
  tokens.reduce((at, { data }) => (all.data.set(data, at), at + data.length), 0);
  return {
    slots: `${folder}/slots.json`,
    pooled: await saveMatrix(`${folder}/pooled.npy`, pooled),
    responses: await saveMatrix(`${folder}/responses.npy`, responses),
    tokens: await saveMatrix(`${folder}/tokens.npy`, all),
  };
}

/** What the synthetic dataset trains on. */
export interface AlignInputs extends PooledFeatures {
  responses: Matrix;
}

async function syntheticInputs(): Promise<AlignInputs> {
  const path = new URL("../align_inputs.ts", import.meta.url).href; // not a literal: a bare checkout has no packages
  return await (await import(path)).alignInputs();
}

function madeUp(): AlignInputs {
  const random = seededRandom(0), slotCount = 36, width = 96, images = 1000, voxels = 1000;
  const matrix = (rows: number, cols: number) => randomMatrix(rows, cols, random);
  return {
    slots: Array.from({ length: slotCount }, (_, l) => ({ name: `slot ${l}`, width })),
    pooled: matrix(images, slotCount * width),
    responses: matrix(images, voxels),
    tokens: Array.from({ length: slotCount }, () => matrix(1024, width)),
  };
}

export const open: OpenOwnWork = async (gpu, files, options, as) => {
  const slots: AlignSlot[] = JSON.parse(await Deno.readTextFile(files.slots));
  const pooled = await loadMatrix(files.pooled), responses = await loadMatrix(files.responses);
  if (as === EVERY_TOKEN) return everyToken(gpu, slots, pooled, responses, options.tokens as number);
  const all = await loadMatrix(files.tokens), each = all.rows / slots.length;
  const tokens = slots.map((_, l) => rowRange(all, l * each, each));
  const data = alignData(slots, pooled, responses, tokens);
  return {
    async run() {
      const { history } = await trainAlign(gpu, data, { epochs: 1, batch: BATCH, validation: HELD_OUT });
      return { loss: history[0].brain };
    },
  };
};

/**
 * AvgPool(Σ_l V_l W_l) β as METHOD (2) has it, and its gradients, token by token. In its favour the tokens of one batch
 * stay on the device and serve all steps, and there is no constraint and no validation.
 */
function everyToken(
  gpu: Parameters<OpenOwnWork>[0],
  slots: AlignSlot[],
  pooled: Matrix,
  responses: Matrix,
  tokens: number,
): OpenWork {
  const width = Math.max(...slots.map((slot) => slot.width)), voxels = responses.cols;
  const steps = Math.ceil(pooled.rows * (1 - HELD_OUT) / BATCH);
  const features = slots.map((slot, l) => {
    const first = slots.slice(0, l).reduce((sum, { width }) => sum + width, 0);
    return uploadMatrix(gpu, tokensAround(pooled, first, slot.width, tokens), "tokens");
  });
  const share = new Float32Array(BATCH * tokens * BATCH);
  for (let row = 0; row < BATCH * tokens; row++) share[row * BATCH + Math.floor(row / tokens)] = 1 / tokens;
  const pool = uploadMatrix(gpu, { data: share, rows: BATCH * tokens, cols: BATCH }, "pooling");
  const beta = fillRandom(new Float32Array(width * voxels), seededRandom(1)).map((v) =>
    0.01 * v / Math.sqrt(width)
  );
  return {
    async run() {
      const parameters = [
        createParameter(gpu, startingTransforms(slots, width, seededRandom(0)), 1, "W"),
        createParameter(gpu, { data: beta, rows: width, cols: voxels }, 1, "β"),
        createParameter(gpu, { data: new Float32Array(voxels), rows: 1, cols: voxels }, 0, "ε"),
      ];
      const [w, b, epsilon] = parameters;
      let loss = 0, difference = 0;
      for (let step = 1; step <= steps; step++) {
        const images = Array.from({ length: BATCH }, (_, i) => ((step - 1) * BATCH + i) % responses.rows);
        const response = uploadMatrix(gpu, takeRows(responses, images), "responses");
        const sum = allocateMatrix(gpu, BATCH * tokens, width, "Σ V W");
        let row = 0;
        slots.forEach((slot, l) => {
          multiply(gpu, features[l], rowView(w.value, row, slot.width), { out: sum, accumulate: l > 0 });
          row += slot.width;
        });
        const z = multiply(gpu, pool, sum, { transposeA: true });
        const prediction = multiply(gpu, z, b.value);
        const part = brainLoss(gpu, prediction, epsilon.value, response);
        multiply(gpu, z, prediction, { transposeA: true, out: b.gradient });
        releaseMatrix(gpu, epsilon.gradient);
        epsilon.gradient = sumOfRows(gpu, prediction, 1);
        const ofZ = multiply(gpu, prediction, b.value, { transposeB: true });
        const ofTokens = multiply(gpu, pool, ofZ);
        row = 0;
        slots.forEach((slot, l) => {
          multiply(gpu, features[l], ofTokens, {
            transposeA: true,
            out: rowView(w.gradient, row, slot.width),
          });
          row += slot.width;
        });
        if (step === 1) difference = await differenceToPooled(ofZ, w.gradient);
        for (const parameter of parameters) adamwStep(gpu, parameter, RATE, step);
        loss += await total(gpu, part);
        release(gpu, part.buffer);
        releaseMatrix(gpu, response, sum, z, prediction, ofZ, ofTokens);
      }
      for (const parameter of parameters) releaseParameter(gpu, parameter);
      return { loss: loss / (steps * BATCH * voxels), "gradient against pooled": difference };
    },
  };

  /** How far the gradient of W is from the one by pooled features, relative to its largest entry. */
  async function differenceToPooled(ofZ: Parameters<typeof multiply>[1], gradient: typeof ofZ) {
    const parts = [];
    for (const matrix of features) {
      const means = multiply(gpu, pool, matrix, { transposeA: true });
      parts.push(multiply(gpu, means, ofZ, { transposeA: true }));
      releaseMatrix(gpu, means);
    }
    const expected = (await downloadMatrices(gpu, ...parts)).flatMap(({ data }) => [...data]);
    releaseMatrix(gpu, ...parts);
    const { data } = await downloadMatrix(gpu, gradient);
    const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0) / scale;
  }
}

/** Tokens of the first images of one slot, whose means are the pooled features. */
function tokensAround(pooled: Matrix, first: number, width: number, tokens: number): Matrix {
  const data = fillRandom(new Float32Array(BATCH * tokens * width), seededRandom(first));
  for (let image = 0; image < BATCH; image++) {
    for (let c = 0; c < width; c++) {
      const at = image * tokens * width + c, wanted = pooled.data[image * pooled.cols + first + c];
      let mean = 0;
      for (let t = 0; t < tokens; t++) mean += data[at + t * width] / tokens;
      for (let t = 0; t < tokens; t++) data[at + t * width] += wanted - mean;
    }
  }
  return { data, rows: BATCH * tokens, cols: width };
}
