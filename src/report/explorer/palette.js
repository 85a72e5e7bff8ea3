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

/**
 * Draws a map, each cell a square of `zoom` pixels, and the borders between cells of different labels where there are labels.
 *
 * @param map `color(i)` of cell i, row by row; `label(i)` where it has borders
 */
export function drawMap(canvas, grid, { color, label }, zoom) {
  const small = new OffscreenCanvas(grid.cols, grid.rows), context = canvas.getContext("2d");
  paintMap(small.getContext("2d"), grid, color);
  canvas.width = Math.round(zoom * grid.cols);
  canvas.height = Math.round(zoom * grid.rows);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  if (!label) return;
  const path = new Path2D();
  for (let row = 0; row < grid.rows; row++) {
    for (let col = 0; col < grid.cols; col++) {
      const own = label(row * grid.cols + col), x = zoom * (col + 1), y = zoom * (row + 1);
      if (col + 1 < grid.cols && label(row * grid.cols + col + 1) !== own) {
        path.moveTo(x, y - zoom);
        path.lineTo(x, y);
      }
      if (row + 1 < grid.rows && label((row + 1) * grid.cols + col) !== own) {
        path.moveTo(x - zoom, y);
        path.lineTo(x, y);
      }
    }
  }
  context.lineCap = "square";
  for (const [style, width] of [["#000000", zoom / 5], ["#ffffff", zoom / 12]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke(path);
  }
}
