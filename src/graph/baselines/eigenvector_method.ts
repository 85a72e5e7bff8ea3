/** What all ways to the eigenvectors of a graph have in common, so that they can be compared. */
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";

/** Settings that every method takes. */
export interface MethodOptions {
  /** Eigenvectors wanted, the first (eigenvalue 1) included. */
  components: number;
  /** Nodes on which the graph is sampled; methods that use all nodes do without. */
  landmarks?: number;
  /** Seed of all that is random; default 0. */
  seed?: number;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The names of `MethodOptions`. */
export const METHOD_OPTIONS: Record<keyof MethodOptions, true> = {
  components: true,
  landmarks: true,
  seed: true,
  signal: true,
};

/** Eigenvectors of D^−½ A D^−½, or what a method takes for them. */
export interface MethodResult {
  /** n × C, the largest eigenvalue first; signs fixed. */
  eigenvectors: Matrix;
  /** C values, descending. */
  eigenvalues: Float64Array;
}

/** The eigenvectors of the graph of n × d features with A_ij = exp(cos(x_i, x_j) − 1). */
export type EigenvectorMethod = (gpu: Gpu, features: Matrix, options: MethodOptions) => Promise<MethodResult>;
