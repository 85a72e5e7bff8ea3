/** A first run of a model, which gives the shape of every layer. */
import type { AttentionOutput } from "../onnx/attention_outputs.ts";
import { channelsOf } from "../onnx/block_hooks.ts";
import type { OnnxGraph } from "../onnx/graph.ts";
import type { ModelInput } from "../images/preprocess.ts";
import type { TokenLayout } from "../models/token_layout.ts";
import type { VisionModel } from "../models/vision_model.ts";
import type { ModelOutput } from "../onnx/types.ts";
import type { HookOutput } from "../onnx/head_roles.ts";

/** An attention output's shape. */
export interface OutputShape {
  /** Registers included. */
  tokens: number;
  width: number;
  heads: number;
  /** tokens × images × width, else images × tokens × width. */
  tokensFirst: boolean;
  /** Of images × rows × columns × width, where tokens are so laid out. */
  sides?: { rows: number; cols: number };
}

/** Runs one image, which gives the dimension of the images from that of the tokens, and the channels that are wanted. */
export async function probe(
  model: VisionModel,
  { path }: OnnxGraph,
  block: AttentionOutput,
  outputs: HookOutput[],
  image: ModelInput,
): Promise<{ shape: OutputShape; channels: (Int32Array | undefined)[] }> {
  const { heads } = block, [{ tensor }] = outputs;
  const perHead = headTensor(block);
  const count = model.fixedBatch ?? 1;
  const wanted = outputs.flatMap(({ tensor, part }, i) => part ? [tensor, part] : i === 0 ? [tensor] : []);
  const results = await model.run([image], [...new Set([...wanted, ...perHead])]);
  const { dims } = results[tensor], inRows = dims.length === 4 && dims[0] === count;
  const imageAxis = inRows ? 0 : dims.indexOf(count);
  if (!inRows && (dims.length !== 3 || imageAxis < 0 || imageAxis > 1)) {
    const windows = dims.length === 3 && dims[0] % count === 0
      ? `: it attends within ${dims[0] / count} windows of ${dims[1]} tokens, which are not put back in place`
      : "";
    throw new Error(
      `${path}: the output ${tensor} has the shape ${dims.join(" × ")}, ` +
        `expected ${count} (images) × tokens × width${windows}.`,
    );
  }
  const tokens = inRows ? dims[1] * dims[2] : dims[1 - imageAxis];
  const shape = {
    tokens,
    width: dims.at(-1)!,
    heads: heads ?? headsOf(results[perHead[0]].dims, count, tokens),
    tokensFirst: imageAxis === 1,
    ...(inRows && { sides: { rows: dims[1], cols: dims[2] } }),
  };
  const channels = outputs.map(({ tensor, part, layer }) => {
    if (part === undefined) return undefined;
    assertShape(results[tensor], shape, count, tensor, path);
    const found = channelsOf(results[part], results[tensor], shape, count);
    if (typeof found !== "string") return found;
    throw new Error(
      `${path}: which channels of ${tensor} are those of ${part} (layer ${layer}) is not known, for ${found}: ` +
        "take another --hook.",
    );
  });
  const other = channels.findIndex((own) => own?.length !== channels[0]?.length);
  if (other >= 0) {
    throw new Error(
      `${path}: layer 1 has ${channels[0]?.length ?? shape.width} channels, layer ${other + 1} ${
        channels[other]?.length ?? shape.width
      }: take another --hook.`,
    );
  }
  return { shape, channels };
}

/** Tokens in rows and columns have to be the patches, as they are where windows were put back in place. */
export function assertInPlace(
  { path }: OnnxGraph,
  { sides, width }: OutputShape,
  patches: TokenLayout["grid"] | null,
): void {
  if (!sides || patches && sides.rows === patches.rows && sides.cols === patches.cols) return;
  throw new Error(
    `${path}: the output has ${sides.rows} × ${sides.cols} tokens of ${width} channels, but ${
      patches
        ? `${patches.rows} × ${patches.cols} patches fit in the image`
        : "the size of its patches is not known"
    }: give a model whose layers all see the same patches.`,
  );
}

/** The tensor whose shape gives the heads where the graph does not. */
export function headTensor({ heads, weights, queries }: AttentionOutput): string[] {
  return heads === null ? [weights ?? queries!] : [];
}

/** Heads, from images × heads × … × …, or images · heads × tokens × … where no windows are among the images. */
function headsOf(dims: readonly number[], images: number, tokens: number): number {
  if (dims.length === 4) return dims[1];
  return dims.length === 3 && dims[1] === tokens && dims[0] % images === 0 ? dims[0] / images : 0;
}

/** Refuses a model whose layers are no tokens of the images. */
export function assertShape(
  { dims }: ModelOutput,
  shape: OutputShape,
  count: number,
  tensor: string,
  path: string,
): void {
  const { tokens, width, tokensFirst, sides } = shape;
  const expected = tokensFirst ? [tokens, count, width] : [count, tokens, width];
  if (String(dims) === String(expected)) return;
  if (sides) {
    const inRows = [count, sides.rows, sides.cols, width];
    if (String(dims) === String(inRows)) return;
    expected.splice(0, 3, ...inRows);
  }
  throw new Error(
    `${path}: the output ${tensor} has the shape ${dims.join(" × ")}, expected ${expected.join(" × ")} ` +
      "as in the first layer: give a model whose layers all see the same patches, not one of stages or windows as Swin.",
  );
}

/** Tokens of an image that the column of a shard can number. */
export const MAX_TOKENS = 2 ** 15;
