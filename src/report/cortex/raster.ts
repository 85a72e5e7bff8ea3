/** Triangles to pixels, in plain arithmetic, so that a page and a file show the same picture on every machine; runs in both. */

/** What is seen at each pixel of a picture, row by row. */
export interface Raster {
  width: number;
  height: number;
  /** Index of the face in front, −1 for none. */
  face: Int32Array;
  /** pixels × 2: weights of the face's first and second corner; the third has the rest. */
  weights: Float32Array;
  /** Depth of what is in front. */
  depth: Float32Array;
}

/** A part of a picture, in pixels. */
export interface PixelBox {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** An empty picture. */
export function emptyRaster(width: number, height: number): Raster {
  const pixels = width * height;
  return {
    width,
    height,
    face: new Int32Array(pixels).fill(-1),
    weights: new Float32Array(2 * pixels),
    depth: new Float32Array(pixels).fill(-Infinity),
  };
}

/**
 * Draws a mesh, what is nearer in front. A pixel is covered when its middle is inside of a face.
 *
 * @param raster drawn into
 * @param places vertices × 3: column and row in pixels from the picture's upper left corner, and nearness
 * @param faces faces × 3 vertices
 * @param firstFace number of the first face in `raster.face`
 * @param within pixels beyond which nothing is drawn: from left to right and from top to bottom, the last ones not
 */
export function drawMesh(
  { width, height, face, weights, depth }: Raster,
  places: ArrayLike<number>,
  faces: ArrayLike<number>,
  firstFace = 0,
  within: PixelBox = { left: 0, right: width, top: 0, bottom: height },
): void {
  for (let f = 0; 3 * f < faces.length; f++) {
    const a = 3 * faces[3 * f], b = 3 * faces[3 * f + 1], c = 3 * faces[3 * f + 2];
    const ax = places[a], ay = places[a + 1], bx = places[b], by = places[b + 1];
    const cx = places[c], cy = places[c + 1];
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
    if (area === 0) continue;
    const top = Math.max(within.top, Math.ceil(Math.min(ay, by, cy) - 0.5));
    const bottom = Math.min(within.bottom - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
    const left = Math.max(within.left, Math.ceil(Math.min(ax, bx, cx) - 0.5));
    const right = Math.min(within.right - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const x = column + 0.5, y = row + 0.5;
        const first = ((bx - x) * (cy - y) - (cx - x) * (by - y)) / area;
        const second = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) / area;
        const third = 1 - first - second;
        if (!(first >= 0 && second >= 0 && third >= 0)) continue;
        const near = first * places[a + 2] + second * places[b + 2] + third * places[c + 2];
        const pixel = row * width + column;
        if (!(near > depth[pixel])) continue;
        depth[pixel] = near;
        face[pixel] = firstFace + f;
        weights[2 * pixel] = first;
        weights[2 * pixel + 1] = second;
      }
    }
  }
}
