/** The colors of few images in all layers of all models, as one figure. */
import { figure } from "../../report/blocks.ts";
import type { Html } from "../../report/html.ts";
import { mapSheet } from "../../report/map_sheet.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { nodeOf, type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";

/** Images, and pixels of their photographs. */
const IMAGES = 3, PHOTO = 192;
/** Maps in a line and their pixels, for columns and for phones. */
const WIDE = { across: 12, side: 96 }, NARROW = { across: 3, side: 78 };

/**
 * Draws layers from left to right and one row a model, as the paper's Figure 4, for images evenly spaced in the data.
 */
export async function colorSheet(pipeline: Pipeline): Promise<Html> {
  const { images, models, slots, colors } = pipeline, { rows, cols } = pipeline.grid;
  const every = Math.ceil(images.length / IMAGES),
    shown = images.flatMap((_, i) => i % every === 0 ? [i] : []);
  const blocks = await Promise.all(shown.map(async (image) => ({
    photo: await jpegDataUri(await images[image].load(), PHOTO),
    rows: models.map((model) => ({
      label: model,
      maps: slotsOf(pipeline, model).map((slot) => {
        const first = 3 * nodeOf(pipeline, slot, image, 1);
        return {
          name: `L${slots[slot].layer}`,
          picture: pngDataUri(cols, rows, colors.slice(first, first + 3 * rows * cols)),
        };
      }),
    })),
  })));
  const deepest = Math.max(...models.map((model) => slotsOf(pipeline, model).length));
  const across = Math.min(WIDE.across, deepest);
  const caption =
    `AlignedCut colors of ${shown.length} of ${images.length} images: layers from left to right, a row for each model. Equal colors belong together across images, layers and models; they have no order and no unit.`;
  return figure({
    image: {
      svg: mapSheet({ blocks, ...WIDE, across }),
      narrowSvg: mapSheet({ blocks, ...NARROW }),
    },
    caption,
    alt: caption,
    name: "colors-sheet",
  });
}
