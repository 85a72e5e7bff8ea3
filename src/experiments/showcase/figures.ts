/** The showcase's maps as drawings, for files: what its page draws by script. */
import { stretchColors } from "../../embed/stretch_colors.ts";
import { colorOf, similarityPicture } from "../shared/small_pictures.ts";
import { mapSheet } from "../../report/map_sheet.ts";
import type { ShowcaseContent } from "../../report/showcase/content.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import type { Drawing } from "../../report/figure_files.ts";

/** Maps in a line, and their pixels. */
const ACROSS = 6, SIDE = 160;
/** Share of a photograph's cells that the page clips at either end of a channel, for contrast. */
const CLIPPED = 0.02;

/**
 * Photographs in front of their maps of all layers: colors, the same stretched within each photograph, segments, and for each of the page's spots the similarity of
 * all photographs to it, in the layer that it is shown in.
 *
 * @param content what the page shows
 */
export function showcaseDrawings(content: ShowcaseContent): Drawing[] {
  const { photos, map, layers, spots, colors, segments } = content, cells = map.rows * map.cols;
  const firstOf = (layer: number, photo: number) => cells * (layer * photos.length + photo);
  const sheet = (picture: (layer: number, photo: number) => string, shown = [...layers.keys()]) =>
    mapSheet({
      across: Math.min(ACROSS, shown.length),
      side: SIDE,
      blocks: photos.map(({ title, photo }, i) => ({
        photo,
        rows: [{
          label: title,
          maps: shown.map((layer) => ({ name: `layer ${layers[layer]}`, picture: picture(layer, i) })),
        }],
      })),
    });
  const colored = (layer: number, photo: number) =>
    pngDataUri(
      map.cols,
      map.rows,
      colors.slice(3 * firstOf(layer, photo), 3 * (firstOf(layer, photo) + cells)),
    );
  const contrasted = (layer: number, photo: number) => {
    const own = colors.subarray(3 * firstOf(layer, photo), 3 * (firstOf(layer, photo) + cells));
    return pngDataUri(map.cols, map.rows, stretchColors(own, CLIPPED));
  };
  const segmented = (layer: number, photo: number) => {
    const first = firstOf(layer, photo);
    const rgb = Array.from(segments.subarray(first, first + cells), (k) => [...colorOf(1 + k)]);
    return pngDataUri(map.cols, map.rows, Uint8Array.from(rgb.flat()));
  };
  return [
    { name: "colors", drawing: sheet(colored) },
    { name: "contrast", drawing: sheet(contrasted) },
    { name: "segments", drawing: sheet(segmented) },
    ...spots.map((spot) => {
      const alike = cosinesTo(content, spot);
      return {
        name: `similar-to-${spot.name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")}`,
        drawing: sheet(
          (_, photo) => similarityPicture(alike.subarray(cells * photo, cells * (photo + 1)), map),
          [spot.layer],
        ),
      };
    }),
  ];
}

/** Cosines of a spot's eigenvectors with those of all cells of its layer, by photograph. */
function cosinesTo(
  { photos, map, directions, components }: ShowcaseContent,
  { photo, cell, layer }: ShowcaseContent["spots"][number],
): Float64Array {
  const cells = map.rows * map.cols, n = cells * photos.length, first = components * n * layer;
  const rows = new Int8Array(directions.buffer, directions.byteOffset + first, components * n);
  const dot = (a: number, b: number) => {
    let sum = 0;
    for (let c = 0; c < components; c++) sum += rows[components * a + c] * rows[components * b + c];
    return sum;
  };
  const own = cells * photo + cell, length = Math.sqrt(dot(own, own)) || 1;
  return Float64Array.from({ length: n }, (_, i) => dot(i, own) / (length * (Math.sqrt(dot(i, i)) || 1)));
}
