/** What a work of the benchmark is, and what its own process does. */
import type { Gpu } from "../../src/gpu/mod.ts";
import type { KernelTime } from "../../src/gpu/timing.ts";
import type { WorkOptions } from "./messages.ts";

/** A work, opened in a process of its own: its inputs read, its results not yet there. */
export interface OpenWork {
  /** Does the work once and waits until the device is done. @returns figures of the work, as its KL */
  run(): Promise<Record<string, number> | void>;
  /** A shorter form that compiles the same kernels; default `run`. */
  warm?(): Promise<unknown>;
  /** Writes the last run's result, for the judge. @returns figures that are not part of the time */
  save?(path: string): Promise<Record<string, number> | void>;
  /** A shorter form whose kernels are timed; default `run`. */
  profiled?(): Promise<unknown>;
  /** What of `run` is in the wall time, where that is not all: seconds, read after each run. */
  seconds?(): number;
  /** GPU time by kernel of another kind than WebGPU's timestamps. */
  kernels?(): KernelTime[];
}

/** Opens a work of ours. */
export type OpenOwnWork = (
  gpu: Gpu,
  files: Record<string, string>,
  options: WorkOptions,
  as: string,
) => Promise<OpenWork>;
