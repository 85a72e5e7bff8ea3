/** The colors of few images in all layers of all models, as one sheet. */
import { colorGrid } from "../../report/color_grid.ts";
import type { Html } from "../../report/html.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { nodeOf, type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";

/** Images of a sheet, and pixels of their photographs. */
const IMAGES = 3, PHOTO = 192;

/**
 * Draws layers from left to right and one row a model, as the paper's Figure 4, for images evenly spaced in the data; the
 * models of the first image are seen at once. Of models that are not equally deep each depth has a sheet of its own.
 */
export async function colorSheets(pipeline: Pipeline): Promise<Html[]> {
  const { images, models, slots, colors } = pipeline, { rows, cols } = pipeline.grid;
  const every = Math.ceil(images.length / IMAGES),
    shown = images.flatMap((_, i) => i % every === 0 ? [i] : []);
  const photos = await Promise.all(
    shown.map(async (image) => await jpegDataUri(await images[image].load(), PHOTO)),
  );
  const layersOf = (model: string) =>
    slotsOf(pipeline, model).map((slot) => `L${slots[slot].layer}`).join(" ");
  const mapOf = (slot: number, image: number) => {
    const first = 3 * nodeOf(pipeline, slot, image, 1);
    return pngDataUri(cols, rows, colors.slice(first, first + 3 * rows * cols));
  };
  return [...Map.groupBy(models, layersOf)].map(([layers, alike], i) =>
    colorGrid({
      label: i === 0 ? "Colors, layers across" : `Colors, layers across: ${alike.join(", ")}`,
      corner: "row",
      columns: layers.split(" "),
      open: alike.length,
      key:
        `AlignedCut colors of ${shown.length} of ${images.length} images: layers (L) from left to right, ` +
        "a row for each model. Equal colors belong together across images, layers and models; they have no order and no unit",
      rows: shown.flatMap((image, k) =>
        alike.map((model) => ({
          label: `${model} · ${images[image].name}`,
          photo: photos[k],
          cells: slotsOf(pipeline, model).map((slot) => mapOf(slot, image)),
        }))
      ),
    })
  );
}
