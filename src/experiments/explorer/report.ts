/** The explorer's opening view as drawings, for files: what its page draws by script. */
import { clickCut } from "../../graph/click_cut.ts";
import { clusterOf } from "../../graph/ward.ts";
import { type ClickResponse, respondOnHost, sumOverSlots } from "../../report/explorer/click_response.ts";
import { SEGMENTS } from "../../report/explorer/body.ts";
import type { ExplorerContent } from "../../report/explorer/content.ts";
import { fromHalf, halfRow } from "../../report/explorer/half.ts";
import type { Drawing } from "../../report/figure_files.ts";
import { escapeHtml } from "../../report/html.ts";
import { COUNT, nearestPixels } from "../../report/explorer/nearest.js";
import { mapSheet } from "../../report/map_sheet.ts";
import { divergingColor } from "../../report/cortex/surface_colors.ts";
import { nearestDrawing } from "./nearest_drawing.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import type { VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import { activationSheets } from "../shared/activation_sheets.ts";
import { cortexViews } from "./cortex_views.ts";
import { colorOf } from "../shared/small_pictures.ts";

/** Width of a map, its heading and the key below it, and the side of a map among those of all layers. */
const SIDE = 320, HEADING = 40, KEY = 26, SMALL = 64;
/** The eigenvector that is shown first. */
const VECTOR = 1;

interface ViewMap {
  title: string;
  /** A data URI. */
  picture: string;
  /** Whether it is drawn smooth. */
  isPhoto?: boolean;
  /** What patches are apart by a border. */
  labels?: ArrayLike<number>;
  /** What the ends of the diverging colors are. */
  ends?: readonly [least: string, most: string];
}

/**
 * The maps that the explorer opens on: the photograph, similarity to the opening pixel, colors, segments, an eigenvector,
 * figure and ground, the nearest pixels of other images, the cortex from every side, and the similarity in every layer of
 * every image of the page.
 *
 * @param content what the page shows
 * @param sheet where the voxels lie
 * @param onMissing is called with the reason where figure and ground cannot be drawn
 */
export async function explorerDrawings(
  content: ExplorerContent,
  sheet: VoxelSheet,
  onMissing: (reason: string) => void,
): Promise<Drawing[]> {
  const { images, slots, tokens, grid, opening, segments, segmentParents } = content;
  const layout = { slots: slots.length, images: images.length, tokens };
  const firstOf = (slot: number, image: number) => (slot * images.length + image) * tokens + 1;
  const first = firstOf(opening.slot, opening.image),
    clicked = first + opening.token - 1,
    patches = tokens - 1;
  const eigenvectors = fromHalf(content.eigenvectors);
  const feature = (node: number) => halfRow(content.aligned, node);
  const answer = await respondOnHost({ eigenvectors, beta: fromHalf(content.beta) })
    .respond(clicked, sumOverSlots(feature, clicked, layout));
  const { model, layer } = slots[opening.slot];
  const where = `${images[opening.image].name}, ${model} layer ${layer}`;
  const picture = (color: (patch: number) => readonly number[]) =>
    pngDataUri(
      grid.cols,
      grid.rows,
      Uint8Array.from(Array.from({ length: patches }, (_, i) => [...color(i)]).flat()),
    );
  const draw = (name: string, map: ViewMap): Drawing => ({
    name,
    drawing: drawing(map, where, grid, opening.token - 1),
  });

  const count = Math.min(SEGMENTS, segmentParents.length);
  const labels = Array.from(
    { length: patches },
    (_, i) => clusterOf({ parents: segmentParents }, segments[first + i], count),
  );
  const { data, cols } = eigenvectors, c = Math.min(VECTOR, cols - 1);
  let most = 0;
  for (let i = c; i < data.length; i += cols) most = Math.max(most, Math.abs(data[i]));
  const vector = (i: number) => data[(first + i) * cols + c] / (most || 1);
  return [
    draw("photograph", { title: "photograph", picture: images[opening.image].photo, isPhoto: true }),
    draw("similarity", {
      title: "similarity to the framed pixel",
      picture: picture((i) => divergingColor(answer.similarity[first + i])),
      ends: ["cosine −1", "1"],
    }),
    draw("colors", {
      title: "AlignedCut colors",
      picture: picture((i) => [...content.colors.subarray(3 * (first + i), 3 * (first + i) + 3)]),
    }),
    draw("segments", {
      title: `segments, ${count} over all images, layers and models`,
      picture: picture((i) => colorOf(1 + labels[i])),
      labels,
    }),
    draw("eigenvector", {
      title: `eigenvector ${c + 1} of ${cols}`,
      picture: picture((i) => divergingColor(vector(i))),
      ends: ["− largest", "+ largest"],
    }),
    ...cutMap().map((map) => draw("figure-ground", map)),
    ...images.length > 1 ? [strip(answer)] : [],
    ...content.rois.length > 0 ? cortex(answer) : [],
    ...images.length * slots.length > 1 ? [everywhere(answer)] : [],
  ];

  /** The two-way cut of the image's patches; none where they cannot be cut. */
  function cutMap(): ViewMap[] {
    const rows = Array.from({ length: patches }, (_, i) => feature(first + i)), width = rows[0].length;
    const features = new Float32Array(patches * width);
    rows.forEach((row, i) => features.set(row, i * width));
    try {
      const { values, figure } = clickCut({ data: features, rows: patches, cols: width }, {
        figure: [],
        ground: [],
      });
      const limit = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
      return [{
        title: "figure and ground of this image",
        picture: picture((i) => divergingColor(values[i] / limit)),
        labels: figure,
        ends: ["ground", "figure"],
      }];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      onMissing(`No figure explorer-figure-ground: ${error.message}`);
      return [];
    }
  }

  function strip({ similarity }: ClickResponse): Drawing {
    const nearest = nearestPixels(content, similarity, opening.image).slice(0, COUNT);
    return {
      name: "nearest",
      drawing: nearestDrawing(
        "Nearest pixels of other images",
        `to the framed pixel of ${where}`,
        nearest.map(({ image, slot, token, value }) => ({
          photo: images[image].photo,
          patch: token - 1,
          lines: [
            `cosine ${value.toFixed(2)}`,
            images[image].name,
            `${slots[slot].model} layer ${slots[slot].layer}`,
          ],
        })),
        grid,
      ),
    };
  }

  /** By the names of the page's buttons; one sheet where the voxels' places on the surface are not known. */
  function cortex({ activation }: ClickResponse): Drawing[] {
    const title = `sum over all layers and models, at the framed pixel of ${where}`,
      unit = "activation, standard deviations";
    if (content.surface) {
      const { rois, voxelRois, surface, activationLimits: { sum: limit } } = content;
      return cortexViews({ rois, voxelRois, surface }, activation, { title, unit, limit });
    }
    return [{ name: "cortex", drawing: activationSheets(sheet, [[{ title, values: activation }]], unit) }];
  }

  function everywhere({ similarity }: ClickResponse): Drawing {
    const slotsOf = (model: string) => [...slots.keys()].filter((slot) => slots[slot].model === model);
    return {
      name: "similarity-everywhere",
      drawing: mapSheet({
        across: Math.max(...content.models.map((model) => slotsOf(model).length)),
        side: SMALL,
        blocks: images.map(({ photo }, image) => ({
          photo,
          rows: content.models.map((model) => ({
            label: `${model}: cosine, from −1 (blue) to 1 (orange)`,
            maps: slotsOf(model).map((slot) => ({
              name: `L${slots[slot].layer}`,
              picture: picture((i) => divergingColor(similarity[firstOf(slot, image) + i])),
            })),
          })),
        })),
      }),
    };
  }
}

/** A map with its heading, the borders between its labels, a frame around a patch, and the key to its colors. */
function drawing(
  { title, picture, isPhoto = false, labels, ends }: ViewMap,
  where: string,
  { rows, cols }: ExplorerContent["grid"],
  patch: number,
): string {
  const cell = SIDE / cols, height = cell * rows, bottom = HEADING + height;
  const crisp = isPhoto ? "" : ' style="image-rendering: pixelated"';
  const frame = (width: number, color: string) =>
    `<rect x="${(patch % cols * cell).toFixed(1)}" y="${
      (HEADING + Math.floor(patch / cols) * cell).toFixed(1)
    }" width="${cell.toFixed(1)}" height="${
      cell.toFixed(1)
    }" fill="none" stroke="${color}" stroke-width="${width}"/>`;
  const write = (text: string, x: number, y: number, look: string) =>
    `<text x="${x}" y="${y}" ${look}>${escapeHtml(text)}</text>`;
  const key = ends &&
    `<defs><linearGradient id="key">${
      [-1, 0, 1].map((value) =>
        `<stop offset="${(value + 1) / 2}" stop-color="rgb(${divergingColor(value).join(", ")})"/>`
      ).join("")
    }</linearGradient></defs><rect x="${SIDE / 4}" y="${bottom + 9}" width="${
      SIDE / 2
    }" height="10" fill="url(#key)"/>${
      write(ends[0], SIDE / 4 - 6, bottom + 18, 'font-size="11" fill="var(--muted)" text-anchor="end"')
    }${write(ends[1], 3 * SIDE / 4 + 6, bottom + 18, 'font-size="11" fill="var(--muted)"')}`;
  const border = labels ? borders(labels, { rows, cols }, cell) : "";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIDE} ${
    Math.ceil(bottom + (ends ? KEY : 2))
  }">${write(title, 0, 14, 'font-size="13" fill="var(--ink)"')}${
    write(where, 0, 31, 'font-size="11" fill="var(--muted)"')
  }<image y="${HEADING}" width="${SIDE}" height="${
    height.toFixed(1)
  }" preserveAspectRatio="none"${crisp} href="${escapeHtml(picture)}"/>${
    [["#000000", 4], ["#ffffff", 1.5]].map(([color, width]) =>
      border &&
      `<path transform="translate(0 ${HEADING})" d="${border}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linecap="square"/>`
    ).join("")
  }${frame(5, "#000000")}${frame(2, "#ffffff")}${key ?? ""}</svg>`;
}

/** Path data of the borders between patches of different labels. */
function borders(labels: ArrayLike<number>, { rows, cols }: ExplorerContent["grid"], cell: number): string {
  const at = (value: number) => Number((value * cell).toFixed(2));
  const parts: string[] = [];
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const own = row * cols + col;
      if (col + 1 < cols && labels[own + 1] !== labels[own]) {
        parts.push(`M${at(col + 1)} ${at(row)}v${at(1)}`);
      }
      if (row + 1 < rows && labels[own + cols] !== labels[own]) {
        parts.push(`M${at(col)} ${at(row + 1)}h${at(1)}`);
      }
    }
  }
  return parts.join("");
}
