/** Pictures of concepts: photographs that are gray where the concept is not. */
import sharp from "sharp";
import { colorGrid } from "../../report/color_grid.ts";
import { escapeHtml, type Html } from "../../report/html.ts";
import type { VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import { openSheets, SCALE_HEIGHT } from "../shared/activation_sheets.ts";
import type { Concept, Place3 } from "./compute.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";

/** Pixels of a photograph. */
const SIDE = 320;
/** How much of its color and contrast a photograph keeps outside of the concept. */
const KEPT = 0.22;

/** Patches that stand for a concept, and the patches along a side of what is cut out around each. */
const PATCHES = 4, WINDOW = 5;
/** Size of a cut-out on the page, the gap beside it, and the line with the concept's name. */
const CUT = 160, CUT_GAP = 8, NAME = 24;

/** A concept with what is drawn of it. */
export interface DrawnConcept {
  name: string;
  concept: Concept;
}

/**
 * The patches of a concept that lie nearest to its centre, of different images.
 *
 * @param places of all patches of the layer on the map
 * @param perImage patches of an image
 */
function representativePatches(
  { patches, centre }: Concept,
  places: readonly Place3[],
  perImage: number,
  count = PATCHES,
): number[] {
  const far = (at: number) => Math.hypot(...places[at].map((value, c) => value - centre[c]));
  const seen = new Set<number>();
  return Array.from(patches).sort((a, b) => far(a) - far(b) || a - b).filter((at) => {
    const image = Math.floor(at / perImage), isNew = !seen.has(image);
    seen.add(image);
    return isNew;
  }).slice(0, count);
}

/**
 * Each concept as patches cut from the photographs, framed among their neighbours, with the cortex beside them.
 *
 * @param places of all patches of the layer on the map
 * @param unit of the activation
 * @param across cut-outs in a line
 * @returns SVG with a viewBox
 */
export async function conceptSheet(
  pipeline: Pipeline,
  drawn: readonly DrawnConcept[],
  places: readonly Place3[],
  { sheet, unit, across }: { sheet: VoxelSheet; unit: string; across: number },
): Promise<string> {
  const perImage = pipeline.tokens - 1, step = CUT + CUT_GAP;
  const brains = openSheets(sheet, drawn.map(({ concept }) => concept.voxels), unit, false);
  const isBeside = across >= PATCHES, lines = Math.ceil(PATCHES / across), cuts = across * step;
  const down = NAME + (isBeside ? Math.max(step, brains.height) : lines * step + brains.height) + CUT_GAP;
  const width = isBeside ? cuts + brains.width : Math.max(cuts - CUT_GAP, brains.width);
  const rows = await Promise.all(drawn.map(async ({ concept, name }, i) => {
    const chosen = representativePatches(concept, places, perImage);
    const pictures = await Promise.all(
      chosen.map((at) => cutOut(pipeline, Math.floor(at / perImage), at % perImage)),
    );
    const cells = pictures.map(({ source, frame: [x, y, w, h] }, k) =>
      `<g transform="translate(${k % across * step} ${
        NAME + Math.floor(k / across) * step
      })"><image width="${CUT}" height="${CUT}" preserveAspectRatio="none" href="${source}"/><rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="#fff" stroke-width="2"/><rect x="${
        x - 1.5
      }" y="${y - 1.5}" width="${w + 3}" height="${h + 3}" fill="none" stroke="#000"/></g>`
    );
    const brain = `<g transform="translate(${isBeside ? cuts : 0} ${
      isBeside ? 0 : NAME + lines * step - 20
    })">${brains.draw(concept.voxels)}</g>`;
    return `<g transform="translate(0 ${i * down})"><text y="16" font-size="14" fill="var(--ink)">${
      escapeHtml(name)
    }</text>${cells.join("")}${brain}</g>`;
  }));
  const bottom = down * drawn.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
    bottom + SCALE_HEIGHT
  }" width="${width}" font-family="ui-sans-serif, system-ui, sans-serif">${rows.join("")}${
    brains.bar(isBeside ? cuts + 40 : 40, bottom)
  }</svg>`;
}

/** A patch with its neighbours, cut from the photograph, and where it lies in what is cut: x, y, width and height. */
async function cutOut(
  { images, grid }: Pipeline,
  image: number,
  patch: number,
): Promise<{ source: string; frame: number[] }> {
  const { data, width, height } = await images[image].load();
  const [rows, cols] = [Math.min(WINDOW, grid.rows), Math.min(WINDOW, grid.cols)];
  const first = (index: number, window: number, size: number) =>
    Math.max(0, Math.min(size - window, index - Math.floor(window / 2)));
  const row = Math.floor(patch / grid.cols), col = patch % grid.cols;
  const [top, left] = [first(row, rows, grid.rows), first(col, cols, grid.cols)];
  const edge = (index: number, size: number, pixels: number) => Math.round(index * pixels / size);
  const box = { left: edge(left, grid.cols, width), top: edge(top, grid.rows, height) };
  const picture = await sharp(data, { raw: { width, height, channels: 3 } }).extract({
    ...box,
    width: Math.max(1, edge(left + cols, grid.cols, width) - box.left),
    height: Math.max(1, edge(top + rows, grid.rows, height) - box.top),
  }).resize(2 * CUT, 2 * CUT, { fit: "fill" }).jpeg({ quality: 88 }).toBuffer();
  const [w, h] = [CUT / cols, CUT / rows];
  const frame = [(col - left) * w, (row - top) * h, w, h].map((value) => Number(value.toFixed(1)));
  return { source: `data:image/jpeg;base64,${new Uint8Array(picture).toBase64()}`, frame };
}

/** Images with the most patches of a concept, most first. */
function imagesOfConcept({ patches }: Concept, perImage: number, count: number): number[] {
  const counts = new Map<number, number>();
  for (const at of patches) {
    const image = Math.floor(at / perImage);
    counts.set(image, (counts.get(image) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, count).map(([image]) => image);
}

/**
 * A row of photographs for each concept.
 *
 * @param names of the concepts
 * @param count photographs a row; where there are fewer the row ends with empty gray squares
 * @param open rows that are seen at once, as of `colorGrid`
 */
export async function conceptGrid(
  pipeline: Pipeline,
  concepts: readonly Concept[],
  names: readonly string[],
  count: number,
  label: string,
  open?: number,
): Promise<Html> {
  const perImage = pipeline.tokens - 1, empty = await jpegDataUri(gray(8, 8));
  const rows = await Promise.all(concepts.map(async (concept, i) => {
    const inside = new Set(concept.patches);
    const pictures = await Promise.all(
      imagesOfConcept(concept, perImage, count + 1).map(async (image) => {
        const photo = await pipeline.images[image].load();
        return await jpegDataUri(
          highlighted(photo, pipeline.grid, (patch) => inside.has(image * perImage + patch)),
          SIDE,
        );
      }),
    );
    while (pictures.length < count + 1) pictures.push(empty);
    return { label: names[i], photo: pictures[0], cells: pictures.slice(1) };
  }));
  return colorGrid({
    label,
    open,
    corner: "concept",
    key: "Photographs keep their colors where the concept is, and are gray elsewhere",
    rows,
    columns: Array.from({ length: count }, (_, i) => String(i + 2)),
  });
}

function gray(width: number, height: number): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height).fill(128) };
}

/** The photograph, washed out where `isInside` says no. */
export function highlighted(
  { data, width, height }: RgbImage,
  { rows, cols }: { rows: number; cols: number },
  isInside: (patch: number) => boolean,
): RgbImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = Math.min(rows - 1, Math.floor(y * rows / height)) * cols + Math.floor(x * cols / width);
      const at = 3 * (y * width + x), isKept = isInside(patch);
      const level = 0.3 * data[at] + 0.59 * data[at + 1] + 0.11 * data[at + 2];
      for (let c = 0; c < 3; c++) {
        out[at + c] = isKept ? data[at + c] : Math.round(150 + KEPT * (level - 128));
      }
    }
  }
  return { data: out, width, height };
}
