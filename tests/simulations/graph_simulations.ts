/** Simulations of the experiments that read a pipeline's eigenvectors, map and colors. */
import { colorClaims } from "../../src/experiments/colors/claims.ts";
import { alignedColors } from "../../src/experiments/colors/compute.ts";
import { segmentationClaims } from "../../src/experiments/segmentation/claims.ts";
import { pipelineTruth, segmentation } from "../../src/experiments/segmentation/compute.ts";
import { slotVectors } from "../../src/experiments/shared/slot_vectors.ts";
import { partingClaim } from "../../src/experiments/trajectories/claims.ts";
import { trajectories } from "../../src/experiments/trajectories/compute.ts";
import { differenceClaim } from "../../src/experiments/transitions/claims.ts";
import { transitions } from "../../src/experiments/transitions/compute.ts";
import type { Pipeline } from "../../src/pipeline/nodes.ts";
import type { Claim } from "../../src/report/results.ts";
import { IMAGES, normal, simulationRandom } from "./fields.ts";
import { simulatedPipeline } from "./simulated_pipeline.ts";

const COMPONENTS = 4;

/** Colors follow place first, then the image, then its category; or the image in all layers alike. */
export async function colorSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const pipeline = simulatedPipeline(simulationRandom(seed), {
    models: ["clip", "mae"],
    layers: 6,
    components: 3,
    ...(hasEffect
      ? {
        place: (layer) => layer <= 1 ? 1.5 : 0.2,
        image: (layer) => layer <= 1 ? 0 : 1,
        effect: ({ layer, component, category }) => layer >= 4 && category % 3 === component ? 2 : 0,
      }
      : { place: () => 0.3, image: () => 0.7 }),
  });
  return colorClaims(await alignedColors(pipeline, seed));
}

/** Figure leaves ground at one layer; or only place grows stronger there, which figures in the middle are near. */
export async function trajectorySimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const pipeline = simulatedPipeline(simulationRandom(seed), {
    models: ["clip", "mae"],
    layers: 6,
    components: COMPONENTS,
    ...(hasEffect
      ? { effect: ({ layer, component, figure }) => layer >= 4 && component === 0 ? 2.5 * figure : 0 }
      : { place: (layer) => layer >= 4 ? 1 : 0.2 }),
  });
  return [partingClaim(await trajectories(pipeline, seed))];
}

/** Figure and ground go different ways between two layers; or all patches go theirs. */
export async function transitionSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const pipeline = simulatedPipeline(simulationRandom(seed), {
    models: ["clip"],
    layers: 4,
    components: 2,
    ...(hasEffect && { effect: ({ layer, figure }) => layer >= 4 ? 2.5 * figure : 0 }),
  });
  return [differenceClaim(await transitions(pipeline, { seed }))];
}

/**
 * Figure and ground part at layer 2 and categories at layer 5, both lost in part without the constraint and by align; or
 * neither is in any layer, and all alignments are alike.
 */
export async function segmentationSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const random = simulationRandom(seed);
  const pipeline = simulatedPipeline(random, {
    models: ["clip"],
    layers: 6,
    components: COMPONENTS,
    ...(hasEffect && {
      effect: ({ layer, component, figure, category }) =>
        (layer >= 2 && component === 0 ? 3 * (2 * figure - 1) : 0) +
        (layer >= 5 && figure && category - 1 === component ? 5 : 0),
    }),
  });
  const slots = [...pipeline.slots.keys()];
  const graph = (slot: number, noise: number) => {
    const { data, rows, cols } = slotVectors(pipeline, slot, COMPONENTS);
    return { slot, eigenvectors: { data: data.map((value) => value + noise * normal(random)), rows, cols } };
  };
  const after = slots.slice(-2);
  const found = await segmentation(pipeline as Pipeline, await pipelineTruth(pipeline), {
    images: IMAGES,
    before: slots.map((slot) => graph(slot, hasEffect ? 0 : 1)),
    aligned: after.map((slot) => graph(slot, 1)),
    noConstraint: after.map((slot) => graph(slot, hasEffect ? 2.5 : 1)),
  }, seed);
  return segmentationClaims(found);
}
