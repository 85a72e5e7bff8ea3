/** What a thread that runs a model is asked, and what it answers. */

/** Execution providers of onnxruntime. */
export type InferenceProvider = "cpu" | "webgpu";

/** What a run gave for one tensor. */
export interface ModelOutput {
  dims: readonly number[];
  data: Float32Array;
}

/** A file of weights beside a model. */
export interface WeightFile {
  /** As the model names it. */
  path: string;
  data: Uint8Array;
}

/** An input that a model states. */
export interface StatedInput {
  name: string;
  /** Null where it is no tensor. */
  type: string | null;
  /** A name, or −1, where it may be any number. */
  shape: (number | string)[];
}

/** What a model is run on. */
export interface Feed {
  name: string;
  type: "float32" | "float16";
  pixels: Float32Array;
  dims: number[];
}

/** What the thread is asked. */
export type Request =
  | { path: string; bytes: Uint8Array; weights: WeightFile[]; provider: InferenceProvider }
  | { feed: Feed; wanted: string[] }
  | "release";

export interface Answer {
  /** What onnxruntime took. */
  seconds: number;
  /** Of a model that was loaded. */
  inputs?: StatedInput[];
  /** Of a run. */
  outputs?: Record<string, ModelOutput>;
  /** What went wrong, in a sentence. */
  error?: string;
}
