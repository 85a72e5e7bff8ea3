// Colors of values from −1 to 1, as the style sheet says for light and dark, and of segments.

function rgb(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** Turns a value from −1 to 1 into red, green and blue; values beyond are drawn as the end of the scale. */
export function divergingScale() {
  const negative = rgb("--negative"), neutral = rgb("--neutral"), positive = rgb("--positive");
  return (value) => {
    const end = value < 0 ? negative : positive, share = Math.min(1, Math.abs(value));
    return neutral.map((from, i) => Math.round(from + share * (end[i] - from)));
  };
}

/** Colors of `count` segments: the hue turns by the golden angle, so that neighbours in the list differ. */
export function segmentColors(count) {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  return Array.from({ length: count }, (_, i) => {
    pixel.fillStyle = `oklch(${[60, 78, 45][i % 3]}% 0.13 ${Math.round(i * 137.5 + 25) % 360})`;
    pixel.fillRect(0, 0, 1, 1);
    return [...pixel.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
  });
}

/** Paints cols × rows cells at a place of a canvas; `color(i)` is that of cell i, row by row. */
export function paintMap(context, { rows, cols }, color, x = 0, y = 0) {
  const image = context.createImageData(cols, rows);
  for (let i = 0; i < rows * cols; i++) image.data.set([...color(i), 255], 4 * i);
  context.putImageData(image, x, y);
}
