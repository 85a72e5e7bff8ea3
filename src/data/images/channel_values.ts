/** What a byte of an image becomes for a model. */
import type { Library } from "./resize.ts";

/** How bytes are scaled and normalised. */
export interface Scaling {
  /** What bytes are multiplied by, 1/255 as a rule. */
  rescale: number | null;
  /** Subtract the mean and divide by the standard deviation of each channel. */
  normalize: { mean: number[]; std: number[] } | null;
  /** Whose arithmetic; absent: Pillow's and numpy's. */
  library?: Library;
  /** 1 is subtracted after the scaling. */
  offset?: true;
  /** Scaling, then normalising, each rounded; absent: torchvision's two in one. */
  separate?: true;
  /** EfficientNet: divide by the standard deviation once more. */
  divideAgain?: number[];
}

/** The float32 value of each of the 256 bytes in one of the model's channels. */
export function channelValues(scaling: Scaling, channel: number): Float32Array {
  const { rescale, normalize, library, offset, separate, divideAgain } = scaling;
  const bytes = Float32Array.from({ length: 256 }, (_, byte) => byte), round = Math.fround;
  const normal = (values: Float32Array, mean: number, std: number) =>
    values.map((value) => round(value - mean) / std);
  const divided = (values: Float32Array) =>
    divideAgain ? values.map((value) => value / round(divideAgain[channel])) : values;
  const own = normalize && { mean: round(normalize.mean[channel]), std: round(normalize.std[channel]) };
  if (library === "torchvision" && rescale && own && !separate) {
    const inverse = round(1 / rescale);
    return divided(normal(bytes, round(own.mean * inverse), round(own.std * inverse)));
  }
  const factor = library === "torchvision" ? round(rescale ?? 1) : rescale ?? 1;
  const scaled = bytes.map((byte) => round(byte * factor) - (offset ? 1 : 0));
  return divided(own ? normal(scaled, own.mean, own.std) : scaled);
}
