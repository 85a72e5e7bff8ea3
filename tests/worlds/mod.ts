/** Small worlds in which the effect of every claim is planted or absent, by experiment. */
import type { Claim } from "../../src/report/results.ts";
import { brainScoreWorld, nystromWorld, rosettaWorld } from "./array_worlds.ts";
import { conceptWorld, figureGroundWorld } from "./brain_worlds.ts";
import { colorWorld, segmentationWorld, trajectoryWorld, transitionWorld } from "./graph_worlds.ts";

/**
 * Makes a world and tests the experiment's claims in it.
 *
 * @param seed of the world
 * @param hasEffect whether the effects that the claims are about are in it
 */
export type World = (seed: number, hasEffect: boolean) => Promise<Claim[]>;

/** By the name of the experiment. */
export const WORLDS: Readonly<Record<string, World>> = {
  "brain-score": brainScoreWorld,
  colors: colorWorld,
  segmentation: segmentationWorld,
  "figure-ground": figureGroundWorld,
  concepts: conceptWorld,
  trajectories: trajectoryWorld,
  transitions: transitionWorld,
  rosetta: rosettaWorld,
  nystrom: nystromWorld,
};
