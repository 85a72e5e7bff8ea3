/** The size that an image processor resizes to. */

/** Pixels. */
export interface Size {
  width: number;
  height: number;
}

/** The size that a picture is resized to. */
export function sizeOf({ width, height }: Size, resize: Resize): Size {
  if ("width" in resize) return resize;
  if ("maxWidth" in resize) {
    const scale = Math.min(resize.maxHeight / height, resize.maxWidth / width);
    return { width: Math.trunc(width * scale), height: Math.trunc(height * scale) };
  }
  if ("fitWidth" in resize) {
    const across = resize.fitWidth / width, down = resize.fitHeight / height;
    const scale = Math.abs(1 - across) < Math.abs(1 - down) ? across : down;
    return {
      width: toMultiple(scale * width, resize.multipleOf),
      height: toMultiple(scale * height, resize.multipleOf),
    };
  }
  const short = Math.min(width, height), long = Math.max(width, height);
  let edge = resize.shortestEdge, exact = edge;
  if (resize.longestEdge && long / short * edge > resize.longestEdge) {
    exact = resize.longestEdge * short / long;
    edge = roundHalfToEven(exact);
  }
  const other = Math.trunc(exact * long / short);
  if (resize.longestEdge && short === edge) return { width, height };
  return width < height || (width === height && !resize.longestEdge)
    ? { width: edge, height: other }
    : { width: other, height: edge };
}

/** A size in one of the ways in which it is written; undefined when it is none. */
export function readSize(value: unknown, square: boolean): Resize | undefined {
  const isPixels = (v: unknown): v is number =>
    Number.isSafeInteger(v) && (v as number) > 0 && (v as number) <= MAX_SIDE;
  if (isPixels(value)) return square ? { width: value, height: value } : { shortestEdge: value };
  if (Array.isArray(value)) {
    const [height, width] = value;
    return value.length === 2 && isPixels(height) && isPixels(width) ? { width, height } : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const given = Object.fromEntries(Object.entries(value).filter(([, side]) => side !== null));
  const { shortest_edge, longest_edge, width, height, max_width, max_height } = given;
  const has = (...keys: string[]) =>
    Object.keys(given).length === keys.length && keys.every((key) => isPixels(given[key]));
  if (has("shortest_edge")) return { shortestEdge: shortest_edge };
  if (has("shortest_edge", "longest_edge")) return { shortestEdge: shortest_edge, longestEdge: longest_edge };
  if (has("width", "height")) return { width, height };
  if (has("max_width", "max_height")) return { maxWidth: max_width, maxHeight: max_height };
  return undefined;
}

/** The nearest multiple, above it where that is 0. */
export function toMultiple(value: number, multiple: number): number {
  return roundHalfToEven(value / multiple) * multiple || Math.ceil(value / multiple) * multiple;
}

/** As Python rounds. */
export function roundHalfToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + down % 2 : Math.round(value);
}

/** To which size an image is resized. */
export type Resize =
  /** Exactly this. */
  | { width: number; height: number }
  /** The proportions kept, the longer side at most `longestEdge`. */
  | { shortestEdge: number; longestEdge?: number }
  /** The proportions kept, the largest that fits. */
  | { maxWidth: number; maxHeight: number }
  /** By the smaller change of the two that fit width or height, each side then a multiple. */
  | { fitWidth: number; fitHeight: number; multipleOf: number };

/** Longest side that a preprocessor file may ask for, in pixels. */
export const MAX_SIDE = 4096;
