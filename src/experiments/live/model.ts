/** What the live page knows of a model: plain JSON, in `models.json` of its folder. */
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
  /** Channels of a token. */
  width: number;
}

/** What the page asks of its worker: a photograph through a model. */
export interface PhotographRequest {
  id: number;
  photograph: Blob;
  name: string;
  model: LiveModel;
}

/** An image in sRGB bytes, rows × cols × 3. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

/** What the worker answers, in this order; `error` ends it. */
export type PhotographAnswer =
  & { id: number }
  & (
    | { kind: "seen"; picture: Picture }
    | { kind: "progress"; share: number; text: string }
    | { kind: "layer"; layer: number; colors: Picture; eigenvalues: number[]; warning: string }
    | { kind: "done"; seconds: { model: number; layers: number } }
    | { kind: "error"; text: string }
  );
