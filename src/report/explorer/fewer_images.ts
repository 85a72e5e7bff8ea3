/** The explorer of fewer images. */
import type { ExplorerContent } from "./content.ts";
import type { HalfMatrix } from "./half.ts";

/**
 * The same content with some of its images; segments, limits and the encoder stay those of all.
 * @param content Of a page.
 * @param images Indices of the images to keep, ascending, that of the opening view among them.
 * @throws RangeError `The opening view is of image 3, which is not among those kept.`
 */
export function fewerImages(content: ExplorerContent, images: readonly number[]): ExplorerContent {
  const { slots, tokens, opening } = content, image = images.indexOf(opening.image);
  if (image < 0) {
    throw new RangeError(`The opening view is of image ${opening.image}, which is not among those kept.`);
  }
  const blocks = slots.flatMap((_, slot) =>
    images.map((own) => (slot * content.images.length + own) * tokens)
  );
  const bytes = (all: Uint8Array, width: number) => {
    const kept = new Uint8Array(blocks.length * tokens * width);
    blocks.forEach((first, i) =>
      kept.set(all.subarray(first * width, (first + tokens) * width), i * tokens * width)
    );
    return kept;
  };
  const rows = ({ bits, cols, scale }: HalfMatrix): HalfMatrix => {
    const kept = new Uint16Array(blocks.length * tokens * cols);
    blocks.forEach((first, i) =>
      kept.set(bits.subarray(first * cols, (first + tokens) * cols), i * tokens * cols)
    );
    return { bits: kept, rows: blocks.length * tokens, cols, scale };
  };
  return {
    ...content,
    images: images.map((own) => content.images[own]),
    eigenvectors: rows(content.eigenvectors),
    aligned: rows(content.aligned),
    colors: bytes(content.colors, 3),
    segments: bytes(content.segments, 1),
    opening: { ...opening, image },
  };
}
