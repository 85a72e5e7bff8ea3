/** The explorer under a photograph: of everything that is there in the saved space, or of one layer alone. */
import { engineChoice, explorerBody } from "../../report/explorer/body.ts";
import { openExplorer } from "../../report/explorer/explorer.js";
import { activationLimits, sampleClicks } from "../../report/explorer/sample_clicks.ts";
import { segmentTree } from "../../report/explorer/segment_tree.ts";

const SPACE = {
  name: "saved space",
  text:
    "Colors of the saved space: equal ones belong together here, in other photographs and on its colors page",
};
const OWN = {
  name: "layer alone",
  text: "Colors of this layer of this photograph alone: equal ones belong together in it",
};
/** Where no voxels are known: the cortex is left out, and one empty column stands for β. */
const NO_CORTEX = { rois: [], voxelRois: new Uint8Array(), sheet: [], beta: null };

/** Where a photograph's models have as many tokens as the one looked at, those of which every photograph shown has all. */
function shownTogether(results, { key, model }) {
  const { rows, cols } = model.layout.grid;
  const fits = (other) =>
    other.space && other.model.layout.grid.rows === rows && other.model.layout.grid.cols === cols;
  const of = (photograph) => results.filter((other) => other.key === photograph && fits(other));
  const models = of(key).map(({ model }) => model);
  const images = [...new Set(results.map((other) => other.key))]
    .map((photograph) => models.map((model) => of(photograph).find((other) => other.model === model)))
    .filter((found) => found.every(Boolean));
  return { models, images };
}

/** Everything in the saved space: all photographs that went through this one's models. */
async function spaceContent(results, result, cortex) {
  const { models, images } = shownTogether(results, result);
  const { rows, cols } = result.model.layout.grid, tokens = 1 + rows * cols, { beta, ...drawn } = cortex;
  const slots = models.flatMap((model, m) =>
    model.tensors.map((_, at) => ({ model: model.name, layer: at + 1, m, at }))
  );
  const joined = (part, width, Kind) => {
    const all = new Kind(slots.length * images.length * tokens * width);
    let to = 0;
    for (const { m, at } of slots) {
      for (const found of images) {
        const from = at * tokens * width;
        all.set(found[m].space[part].subarray(from, from + tokens * width), to);
        to += tokens * width;
      }
    }
    return all;
  };
  const nodes = slots.length * images.length * tokens;
  const matrix = (part) => {
    const width = result.space[part].length / (result.model.tensors.length * tokens);
    return { data: joined(part, width, Float32Array), rows: nodes, cols: width };
  };
  const eigenvectors = matrix("eigenvectors"), features = matrix("aligned");
  const encoder = beta ?? { data: new Float32Array(features.cols), rows: features.cols, cols: 1 };
  const layout = { slots: slots.length, images: images.length, tokens };
  const limits = activationLimits(await sampleClicks({ eigenvectors, beta: encoder, features }, layout));
  return {
    ...drawn,
    images: images.map(([{ name, photo }]) => ({ name, photo })),
    models: models.map(({ name }) => name),
    slots: slots.map(({ model, layer }) => ({ model, layer })),
    eigenvectors,
    beta: encoder,
    features,
    colors: joined("colors", 3, Uint8Array),
    coloring: SPACE,
    activationLimits: limits,
    place: (layer) => ({
      image: images.findIndex(([first]) => first.key === result.key),
      slot: slots.findIndex(({ model, at }) => model === result.model.name && at === layer - 1),
    }),
  };
}

/** One layer of one photograph: a graph of its own. */
function ownContent({ name, photo, model, layers }, layer) {
  const { colors, eigenvectors, features } = layers[layer - 1], rows = colors.length / 3;
  const matrix = (data) => ({ data, rows, cols: data.length / rows });
  const { cols } = matrix(features), { beta: _, ...drawn } = NO_CORTEX;
  return {
    ...drawn,
    images: [{ name, photo }],
    models: [model.name],
    slots: [{ model: model.name, layer }],
    eigenvectors: matrix(eigenvectors),
    features: matrix(features),
    beta: { data: new Float32Array(cols), rows: cols, cols: 1 },
    colors,
    coloring: OWN,
    activationLimits: { sum: 1, layer: 1 },
    place: () => ({ image: 0, slot: 0 }),
  };
}

let ended;

/** Ends the explorer that is open, if one is. */
export function closeExploration() {
  ended?.abort();
  document.getElementById("exploration")?.remove();
}

/**
 * Opens the explorer below a photograph's row.
 *
 * @param results of all photographs that are done @param result the one that was clicked
 * @param at { layer, token, coloring } what was clicked, and whose colors are shown
 * @param cortex of the space's voxels, or null
 */
export async function openExploration(results, result, { layer, token, coloring }, cortex) {
  closeExploration();
  ended = new AbortController();
  const isSpace = coloring === "space" && result.space;
  const content = isSpace
    ? await spaceContent(results, result, cortex ?? NO_CORTEX)
    : ownContent(result, layer);
  const { features } = content;
  Object.assign(content, segmentTree(content.eigenvectors), {
    grid: result.model.layout.grid,
    tokens: 1 + result.model.layout.grid.rows * result.model.layout.grid.cols,
    opening: { ...content.place(layer), token, reason: "the pixel that was clicked" },
    feature: (node) => features.data.subarray(node * features.cols, (node + 1) * features.cols),
  });
  const holder = document.createElement("section");
  holder.id = "exploration";
  holder.setAttribute("aria-label", `Explorer of ${result.name}`);
  holder.innerHTML = `<button type="button" class="close">Close</button>${
    explorerBody(content, true).markup
  }${engineChoice().markup}`;
  result.row.after(holder);
  holder.querySelector(".close").addEventListener("click", closeExploration);
  globalThis.explorer = openExplorer(content, { hasAddress: false, signal: ended.signal });
  holder.scrollIntoView({ block: "start" });
  await globalThis.explorer.ready;
  holder.dataset.ready = "true";
}
