/** The explorer's cortex as its page draws it, from every side, for files. */
import { divergingColor } from "../../report/cortex/surface_colors.ts";
import { drawScene, paintScene } from "../../report/cortex/scene.ts";
import { namesInView, openVoxelScene, VIEWS } from "../../report/cortex/voxel_scene.ts";
import type { Drawing } from "../../report/figure_files.ts";
import { escapeHtml } from "../../report/html.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { shortened } from "./nearest_drawing.ts";

/** Size of a picture and how many of its pixels are one of the drawing's, the room above and below it. */
const WIDTH = 480, HEIGHT = 288, ZOOM = 2, HEADING = 40, KEY = 44;
/** Size of names, half the width of a letter, and the height of a line. */
const NAME = 12, HALF_LETTER = 0.31 * NAME, LINE = 14;
/** Letters that fit below the heading. */
const LETTERS = 84;
/** The scale's length. */
const BAR = 220;

/**
 * Draws every view that the page has a button for: `cortex-from-behind`, `cortex-flat-map`, …
 *
 * @param content names of regions, the region of each voxel, and the surfaces
 * @param activation one value a voxel
 * @param labels heading, unit, and the value at the end of the scale
 */
export function cortexViews(
  content: Parameters<typeof openVoxelScene>[0],
  activation: Float32Array,
  { title, unit, limit }: { title: string; unit: string; limit: number },
): Drawing[] {
  const scene = openVoxelScene(content);
  scene.setValues(activation);
  return Object.values(VIEWS).map((view) => {
    const seen = drawScene(scene.sides, scene.normals, view, ZOOM * WIDTH, ZOOM * HEIGHT);
    const pixels = paintScene(seen, scene.paints, limit);
    const rgb = new Uint8Array(3 * pixels.length / 4).fill(255);
    for (let i = 0; i < pixels.length / 4; i++) {
      if (pixels[4 * i + 3] > 0) rgb.set(pixels.subarray(4 * i, 4 * i + 3), 3 * i);
    }
    const half = (name: string) => ZOOM * HALF_LETTER * name.length;
    const names = namesInView(scene.names, seen, half, ZOOM * LINE).map(({ name, x, y }) =>
      `<text x="${(x / ZOOM).toFixed(1)}" y="${(HEADING + y / ZOOM + NAME / 3).toFixed(1)}">${
        escapeHtml(name)
      }</text>`
    );
    const write = (text: string, y: number, look: string) =>
      `<text x="0" y="${y}" ${look}>${escapeHtml(text)}</text>`;
    const bottom = HEADING + HEIGHT;
    const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + KEY}">${
      write(view.title, 14, 'font-size="13" fill="var(--ink)"')
    }${
      write(shortened(title, LETTERS), 31, 'font-size="11" fill="var(--muted)"')
    }<image y="${HEADING}" width="${WIDTH}" height="${HEIGHT}" href="${
      pngDataUri(ZOOM * WIDTH, ZOOM * HEIGHT, rgb)
    }"/><g font-size="${NAME}" font-weight="600" text-anchor="middle" fill="#16181c" stroke="#ffffff" stroke-opacity="0.75" stroke-width="3" stroke-linejoin="round" style="paint-order: stroke">${
      names.join("")
    }</g>${scale(bottom + 6, limit, unit)}</svg>`;
    return { name: `cortex-${view.title.toLowerCase().replaceAll(" ", "-")}`, drawing };
  });
}

/** The colors from the lowest to the highest value, with numbers and the unit below. */
function scale(y: number, limit: number, unit: string): string {
  const left = (WIDTH - BAR) / 2;
  const stops = [-1, -0.5, 0, 0.5, 1].map((value) =>
    `<stop offset="${(value + 1) / 2}" stop-color="rgb(${divergingColor(value).join(", ")})"/>`
  );
  const write = (text: string, x: number, down: number) =>
    `<text x="${x}" y="${y + down}" text-anchor="middle">${escapeHtml(text)}</text>`;
  return `<defs><linearGradient id="scale">${
    stops.join("")
  }</linearGradient></defs><rect x="${left}" y="${y}" width="${BAR}" height="10" fill="url(#scale)"/><g font-size="11" fill="var(--muted)">${
    write(`≤ −${limit.toFixed(2)}`, left, 22)
  }${write("0", left + BAR / 2, 22)}${write(`≥ ${limit.toFixed(2)}`, left + BAR, 22)}${
    write(unit, left + BAR / 2, 35)
  }</g>`;
}
