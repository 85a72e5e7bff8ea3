/** What the harness knows of a work before it runs. */
import type { Gpu } from "../../src/gpu/mod.ts";
import type { WorkOptions } from "./messages.ts";

/** Who takes part beside us, and where it runs. */
export interface Peer {
  name: string;
  runtime: "python" | "javascript";
}

/** Operations and bytes of one run, for the share of the limits. */
export interface Cost {
  /** Multiplications and additions. */
  operations: number;
  /** Bytes that have to be moved at the least. */
  bytes: number;
}

/** Figures by participant, as `{ ours: { residual: 3e-5 } }`. */
export type Figures = Record<string, Record<string, number>>;

/** A work of the benchmark. */
export interface WorkPlan {
  /** As `--only` knows it. */
  name: string;
  /** One line. */
  title: string;
  /** An older work with the same inputs, for builds that lack this one. */
  like?: string;
  /** Ways of ours to do it; the first is "ours". */
  own: string[];
  peers: Peer[];
  rounds: number;
  /** Rounds of slower participants, by name; they take part in the first ones. */
  fewer?: Record<string, number>;
  /** Sizes; `software` says whether the adapter computes on the processor. */
  options(software: boolean): WorkOptions;
  /** Writes the inputs. @returns paths by name */
  prepare(folder: string, options: WorkOptions): Promise<Record<string, string>>;
  cost?(options: WorkOptions): Cost;
  /** Judges all results alike. @param results paths by participant */
  judge?(
    gpu: Gpu,
    results: Record<string, string>,
    files: Record<string, string>,
    options: WorkOptions,
  ): Promise<Figures>;
  /** "software": runs on software adapters only when asked for by name. */
  onlyWhenNamed?: "software";
}
