// One canvas an image: its similarity maps, a row for each model and a column for each layer.
import { paintMap } from "./palette.js";

/** Pixels between maps. */
const GAP = 1;

/**
 * @param content of the page
 * @param pick called with { image, slot, token } of what was clicked
 * @param describe the text beside the pointer for { image, slot, token }, or null for none
 */
export function openOverview({ images, slots, models, grid }, pick, describe) {
  const step = { x: grid.cols + GAP, y: grid.rows + GAP };
  const cells = slots.map(({ model }, slot) => ({
    row: models.indexOf(model),
    column: slots.slice(0, slot).filter((other) => other.model === model).length,
  }));
  const columns = 1 + Math.max(...cells.map(({ column }) => column));
  const cards = [...document.querySelectorAll("#overview .card")];
  const canvases = cards.map((card) => card.querySelector("canvas"));
  for (const [image, canvas] of canvases.entries()) {
    canvas.width = columns * step.x - GAP;
    canvas.height = models.length * step.y - GAP;
    canvas.style.setProperty("--maps", columns);
    canvas.addEventListener("click", (event) => {
      const at = nodeAt(canvas, event);
      if (at) pick({ image, ...at });
    });
    canvas.addEventListener("pointermove", (event) => {
      const at = nodeAt(canvas, event);
      describe(at && { image, ...at }, event);
    });
    canvas.addEventListener("pointerleave", (event) => describe(null, event));
  }

  function nodeAt(canvas, { clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor((clientX - box.left) / box.width * canvas.width);
    const y = Math.floor((clientY - box.top) / box.height * canvas.height);
    const column = Math.floor(x / step.x), row = Math.floor(y / step.y);
    const slot = cells.findIndex((cell) => cell.row === row && cell.column === column);
    if (slot < 0 || x % step.x >= grid.cols || y % step.y >= grid.rows) return null;
    return { slot, token: 1 + y % step.y * grid.cols + x % step.x };
  }

  /** Scrolls every image's maps to a layer. */
  function center(slot) {
    centered = slot;
    for (const [i, card] of cards.entries()) {
      const scroll = card.querySelector(".scroll"), middle = (cells[slot].column + 0.5) * step.x;
      scroll.scrollLeft = middle / canvases[i].width * scroll.scrollWidth - scroll.clientWidth / 2;
    }
  }

  let centered = 0;
  // What is folded has no width yet.
  for (const folded of document.querySelectorAll("details")) {
    folded.addEventListener("toggle", () => center(centered));
  }

  return {
    /** Paints every map; `valueOf(image, slot, patch)` is from −1 to 1. */
    paint(valueOf, scale) {
      for (const image of images.keys()) {
        const context = canvases[image].getContext("2d");
        for (const [slot, { row, column }] of cells.entries()) {
          paintMap(
            context,
            grid,
            (patch) => scale(valueOf(image, slot, patch)),
            column * step.x,
            row * step.y,
          );
        }
      }
    },
    /** Frames the map that is looked at, and brings its layer into view. */
    frame({ image, slot }) {
      if (slot !== centered) center(slot);
      for (const [i, card] of cards.entries()) {
        const frame = card.querySelector(".frame");
        frame.hidden = i !== image;
        const { row, column } = cells[slot], { width, height } = canvases[i];
        frame.style.left = `${100 * column * step.x / width}%`;
        frame.style.top = `${100 * row * step.y / height}%`;
        frame.style.width = `${100 * grid.cols / width}%`;
        frame.style.height = `${100 * grid.rows / height}%`;
      }
    },
  };
}
