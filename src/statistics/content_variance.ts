/** How much color maps show of what is in their images. */

/**
 * Variance of color maps that neither the place in the image nor the image as a whole explains, as far as neighboring cells
 * share it: r = x − mean over images − mean over places + mean over all; the mean of rᵢ·rⱼ over cells i, j that are side by
 * side. Large where a map has areas of its own; small where it is flat, follows the place, has one color an image, or is
 * noise. One image alone has no mean over images.
 *
 * @param colors n × 3 bytes, image by image, row by row
 * @returns the variance, and its share of that of all colors (0 where they are all equal)
 */
export function contentVariance(
  colors: Uint8Array,
  images: number,
  { rows, cols }: { rows: number; cols: number },
): { variance: number; share: number } {
  const cells = rows * cols, n = images * cells;
  let shared = 0, total = 0;
  for (let channel = 0; channel < 3; channel++) {
    const at = (image: number, cell: number) => colors[3 * (image * cells + cell) + channel];
    const ofImage = new Float64Array(images), ofCell = new Float64Array(cells);
    let mean = 0;
    for (let i = 0; i < n; i++) {
      const value = at(Math.floor(i / cells), i % cells);
      ofImage[Math.floor(i / cells)] += value / cells;
      ofCell[i % cells] += value / images;
      mean += value / n;
    }
    const rest = Float64Array.from({ length: n }, (_, i) => {
      const image = Math.floor(i / cells), cell = i % cells, value = at(image, cell) - ofImage[image];
      return images === 1 ? value : value - ofCell[cell] + mean;
    });
    for (let i = 0; i < n; i++) total += (at(Math.floor(i / cells), i % cells) - mean) ** 2 / n;
    let sum = 0, pairs = 0;
    for (let i = 0; i < n; i++) {
      if (i % cols + 1 < cols) [sum, pairs] = [sum + rest[i] * rest[i + 1], pairs + 1];
      if (i % cells + cols < cells) [sum, pairs] = [sum + rest[i] * rest[i + cols], pairs + 1];
    }
    shared += pairs > 0 ? sum / pairs : 0;
  }
  return { variance: shared, share: total > 0 ? shared / total : 0 };
}
