/** One JSON object a line: what the harness and a participant's process say to each other. */

/** What a participant is asked. */
export type Request =
  | { do: "open"; work: string; as: string; files: Record<string, string>; options: WorkOptions }
  | { do: "run"; warm?: boolean }
  | { do: "save"; path: string }
  | { do: "profile" }
  | { do: "close" };

/** Sizes that differ from a work's own. */
export type WorkOptions = Record<string, number | string>;

/** GPU time of one kernel over a run. */
export interface ProfiledKernel {
  kernel: string;
  dispatches: number;
  milliseconds: number;
}

/** What it answers; an error or an absence ends the conversation. */
export interface Answer {
  /** Why it cannot take part: "no module named torch". */
  absent?: string;
  /** What went wrong. */
  error?: string;
  /** open: program and version. */
  version?: string;
  /** open: the adapter or device it computes on. */
  device?: string;
  /** run: seconds of wall time, the device's work done. */
  seconds?: number;
  /** run and save: figures of the work, as kl or residual. */
  figures?: Record<string, number>;
  /** profile: kernels, longest first. */
  kernels?: ProfiledKernel[];
  /** run: most MB that the process had resident. */
  peakMb?: number;
  /** run: most MB of GPU buffers, where it counts them. */
  gpuMb?: number;
}

/** Marks the lines that are meant for the harness: packages print what they like. */
export const MARK = "@bench ";
