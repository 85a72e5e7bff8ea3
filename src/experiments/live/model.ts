/** What the live page knows of a model, and what its worker is asked and answers: plain JSON and arrays. */
import type { RgbImage } from "../../data/images/picture.ts";
import type { Preprocessor } from "../../data/images/preprocessor.ts";
import type { TokenLayout } from "../../data/models/token_layout.ts";

/** A model of the live page. */
export interface LiveModel {
  name: string;
  /** Its ONNX file within the folder, whose outputs are every layer's features. */
  file: string;
  preprocessor: Preprocessor;
  /** The tensor of every layer, first layer first. */
  tensors: string[];
  /** Which of the tokens are what. */
  layout: TokenLayout;
  /** In pixels, where the graph says so. */
  patch: { width: number; height: number } | null;
  /** Channels of a token. */
  width: number;
  /** Index of each layer among the slots of the saved space; null where it has none of them. */
  slots: number[] | null;
}

/** `models.json`. */
export interface LiveFolder {
  models: LiveModel[];
  /** What the saved space was made of, in one sentence; null where the folder has none. */
  space: string | null;
}

/** What the page asks of its worker: a photograph through a model. */
export interface PhotographRequest {
  id: number;
  photograph: Blob;
  name: string;
  model: LiveModel;
}

/** What the page asks before there is a photograph: load and compile what the model's photographs take. */
export interface WarmUpRequest {
  warmUp: LiveModel;
}

/** One layer by itself, a row for each token: the class token or the mean, then the patches. */
export interface LayerAnswer {
  layer: number;
  /** tokens × 3 bytes, RGB. */
  colors: Uint8Array;
  /** tokens × C. */
  eigenvectors: Float32Array;
  /** tokens × D. */
  features: Float32Array;
  eigenvalues: number[];
  warning: string;
}

/** All layers in the saved space, layer by layer, rows as of a layer. */
export interface SpaceAnswer {
  colors: Uint8Array;
  eigenvectors: Float32Array;
  /** The channels that all slots share: tokens × D′. */
  aligned: Float32Array;
}

/** What the worker answers, in this order; `error` ends it. */
export type PhotographAnswer =
  & { id: number }
  & (
    | { kind: "seen"; picture: RgbImage }
    | { kind: "progress"; share: number; text: string }
    | { kind: "space" } & SpaceAnswer
    | { kind: "layer" } & LayerAnswer
    | { kind: "done"; seconds: { model: number; space: number; layers: number } }
    | { kind: "error"; text: string }
  );
