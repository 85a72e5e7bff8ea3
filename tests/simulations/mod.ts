/** Small data sets in which the effect of every claim is planted or absent, by experiment. */
import type { Claim } from "../../src/report/results.ts";
import { brainScoreSimulation, nystromSimulation, rosettaSimulation } from "./array_simulations.ts";
import { conceptSimulation, figureGroundSimulation } from "./brain_simulations.ts";
import {
  colorSimulation,
  segmentationSimulation,
  trajectorySimulation,
  transitionSimulation,
} from "./graph_simulations.ts";

/**
 * Makes a simulation and tests the experiment's claims in it.
 *
 * @param seed of the simulation
 * @param hasEffect whether the effects that the claims are about are in it
 */
export type Simulation = (seed: number, hasEffect: boolean) => Promise<Claim[]>;

/** By the name of the experiment. */
export const SIMULATIONS: Readonly<Record<string, Simulation>> = {
  "brain-score": brainScoreSimulation,
  colors: colorSimulation,
  segmentation: segmentationSimulation,
  "figure-ground": figureGroundSimulation,
  concepts: conceptSimulation,
  trajectories: trajectorySimulation,
  transitions: transitionSimulation,
  rosetta: rosettaSimulation,
  nystrom: nystromSimulation,
};
