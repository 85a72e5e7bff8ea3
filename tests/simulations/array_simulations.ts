/** Simulations of the experiments whose statistics read arrays: scores, activations, maps of channels. */
import { alignName, nearestAgreement } from "../../src/experiments/brain_score/align_effect.ts";
import { brainScoreClaims } from "../../src/experiments/brain_score/claims.ts";
import type { BrainScoreReport } from "../../src/experiments/brain_score/results.ts";
import { landmarkClaim } from "../../src/experiments/nystrom/claims.ts";
import type { AuditRow } from "../../src/experiments/nystrom/compute.ts";
import { rosettaClaims } from "../../src/experiments/rosetta/claims.ts";
import { gainsOf, type Rosetta, type RosettaPair } from "../../src/experiments/rosetta/compute.ts";
import { bestLayers, mutualBest } from "../../src/experiments/rosetta/matching.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import type { Random } from "../../src/linalg/random.ts";
import type { Claim } from "../../src/report/results.ts";
import { signFlipEffect } from "../../src/statistics/effect.ts";
import { matmul } from "../reference/matmul.ts";
import { measurePairs, standardizeUnits } from "../support/rosetta_pairs.ts";
import { categories, IMAGES, normal, normals, PATCHES, simulationRandom, smoothField } from "./fields.ts";

/** Trainings with and without the constraint. */
const SEEDS = 5, LAYERS = 4;

/** The constraint raises scores, clusters and segmentation, and models agree after alignment; or all trainings are alike. */
export function brainScoreSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const random = simulationRandom(seed), gain = hasEffect ? 1 : 0;
  const condition = (lambda: number) => ({
    lambda,
    scores: Array.from({ length: SEEDS }, () => ({ r: 0.6 + 0.01 * (4 * gain * lambda + normal(random)) })),
  });
  const effects = Array.from({ length: LAYERS }, (_, layer) => ({
    model: "clip",
    layer,
    before: 0.6,
    after: Object.fromEntries([0, 1].flatMap((held) =>
      Array.from({ length: SEEDS }, (_, training) => {
        const [miou, overlap] = normals(2, random).map((value) => 0.5 + 0.01 * (6 * gain * held + value));
        return [alignName(held === 1, training), { miou, overlap }];
      })
    )),
  }));
  const conditions = [0, 0.1, 1].map(condition) as unknown as BrainScoreReport["conditions"];
  const [before, ...after] = [0, gain, gain].map((strength) => agreementOf(random, strength));
  const mixed = Object.fromEntries(["paper", "ridge"].map((name, i) => [name, {
    before: before.reduce((sum, value) => sum + value, 0) / IMAGES,
    after: after[i].reduce((sum, value) => sum + value, 0) / IMAGES,
    chance: 0.2,
    images: IMAGES,
    nodes: IMAGES,
    gain: signFlipEffect(after[i].map((value, image) => value - Math.max(before[image], 0)), seed),
  }]));
  return Promise.resolve(brainScoreClaims({ conditions, effects, mixed }));
}

/** Agreement of nearest nodes of three models, image by image; categories move them by `strength`. */
function agreementOf(random: Random, strength: number): Float64Array {
  const category = categories(), each = 3, dims = 5;
  const imageOf = Array.from({ length: IMAGES * each }, (_, i) => Math.floor(i / each));
  const models = Array.from({ length: 3 }, () => {
    const levels = category.map(() => normals(dims, random));
    return imageOf.map((image) => {
      const row = levels[image].map((value, c) =>
        0.5 * value + normal(random) + (category[image] - 1 === c ? 4 * strength : 0)
      );
      const norm = Math.hypot(...row);
      return row.map((value) => value / norm);
    });
  });
  return nearestAgreement(models, imageOf, imageOf.map((image) => category[image]), IMAGES);
}

/** The propagation is nearer to the exact vectors than Fowlkes' method, and faster; or both are alike. */
export function nystromSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const random = simulationRandom(seed), gain = hasEffect ? 1 : 0;
  const row = (method: AuditRow["method"]): AuditRow => ({
    method,
    landmarks: 300,
    neighbors: 8,
    sampling: "uniform",
    angles: [],
    eigenvalueError: 0,
    trusted: 1,
    seconds: 1,
  });
  const draw = (better: number) => ({
    angle: 20 - 10 * better + normal(random),
    seconds: 2 ** (-better + 0.2 * normal(random)),
  });
  const draws = Array.from({ length: 5 }, () => ({ nystrom: draw(gain), fowlkes: draw(0) }));
  return Promise.resolve([
    landmarkClaim({ compared: { nystrom: row("nystrom"), fowlkes: row("fowlkes"), draws }, components: 10 }),
  ]);
}

/** Layers and channels of each model in a simulation of Rosetta neurons. */
const CHANNELS = 6, DEPTH = 2;

/** Models share channels by number; or each has its own, beside a field of place that both know. */
export function rosettaSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const random = simulationRandom(seed), half = IMAGES / 2;
  const shared = Array.from({ length: IMAGES * CHANNELS }, () => smoothField(random));
  const template = smoothField(random);
  const mapsOf = (strength: () => number) => {
    const cols = DEPTH * CHANNELS, data = new Float32Array(IMAGES * PATCHES * cols);
    for (let image = 0; image < IMAGES; image++) {
      for (let unit = 0; unit < cols; unit++) {
        const own = smoothField(random),
          channel = unit % CHANNELS,
          common = shared[image * CHANNELS + channel];
        for (let p = 0; p < PATCHES; p++) {
          data[(image * PATCHES + p) * cols + unit] = own[p] + 0.5 * template[p] +
            strength() * common[p];
        }
      }
    }
    return [0, 1].map((part): Matrix => {
      const rows = half * PATCHES, own = data.slice(part * rows * cols, (part + 1) * rows * cols);
      const maps = { data: own, rows, cols };
      standardizeUnits(maps);
      return maps;
    });
  };
  const compared = (strength: () => number) => {
    const [a, b] = [mapsOf(strength), mapsOf(strength)];
    const transposed = new Float32Array(a[0].data.length), { rows, cols } = a[0];
    a[0].data.forEach((value, at) => transposed[at % cols * rows + Math.floor(at / cols)] = value / rows);
    const correlation = {
      data: Float32Array.from(matmul(transposed, b[0].data, cols, rows, cols)),
      rows: cols,
      cols,
    };
    return (match: (correlation: Matrix) => ReturnType<typeof mutualBest>) =>
      measurePairs(a[1], b[1], match(correlation), half, PATCHES);
  };
  const raw = compared(() => hasEffect ? 0.7 : 0), aligned = compared(() => hasEffect ? 2 : 0);
  const voxels = compared(() => hasEffect ? 2 : 0), shift = CHANNELS / 2;
  const parts = {
    rosetta: raw(mutualBest),
    aligned: aligned((own) => bestLayers(own, CHANNELS)),
    control: aligned((own) => bestLayers(own, CHANNELS, shift)),
    voxels: voxels((own) => bestLayers(own, CHANNELS)),
    voxelControl: voxels((own) => bestLayers(own, CHANNELS, shift)),
  };
  const pair = {
    models: ["clip", "mae"],
    ...parts,
    sameNumber: 0,
    asStrong: 0,
    gains: gainsOf(parts, seed),
  } as unknown as RosettaPair;
  return Promise.resolve(
    rosettaClaims({ pairs: [pair], alignedChannels: CHANNELS, voxels: CHANNELS } as unknown as Rosetta),
  );
}
