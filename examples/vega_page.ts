// Makes a page of my own from any Vega-Lite chart: here, how clearly groups stand apart at each layer of a model.
import * as ac from "@alignedcut/alignedcut";

const options = ac.scriptOptions("Draws the eigenvalues of every layer's graph on a page of its own.", {
  photos: ["", "folder of photographs; without it, synthetic scenes"],
  model: ["mae_tiny", "an ONNX file, or clip_tiny, dino_tiny, mae_tiny"],
  limit: [2, "photographs at most", [1, Infinity]],
  out: ["eigenvalues", "folder of index.html and the chart's spec, index-1.vl.json"],
});
const folder = options.photos || (await ac.exampleData()).photographs;
const photos = await ac.listPhotographs(folder, options.limit);
const { model, layers } = await ac.patchFeatures(options.model, photos);
using gpu = await ac.openGpu();
const values: { layer: number; rank: number; eigenvalue: number }[] = [];
for (const { layer, patches } of layers) {
  const { eigenvalues } = await ac.normalizedCut(gpu, patches, { components: 8 });
  eigenvalues.forEach((eigenvalue, i) => values.push({ layer, rank: i + 1, eigenvalue }));
}

const chart = {
  data: { values },
  transform: [{ filter: "datum.rank > 1" }], // the first is 1 in every graph
  mark: { type: "line", point: true },
  encoding: {
    x: { field: "layer", type: "quantitative" },
    y: { field: "eigenvalue", type: "quantitative" },
    detail: { field: "rank", type: "nominal" },
  },
};
await ac.savePage(`${options.out}/index.html`, {
  title: `Eigenvalues of ${model}`,
  question: "At which layer do groups of patches stand apart?",
  method: `The normalised cut of the patches of ${photos.length} photographs, one graph a layer.`,
  sections: [{
    heading: "Eigenvalues 2 to 8",
    chart,
    caption: "The larger, the clearer a group stands apart.",
  }],
});
console.log(`${layers.length} layers in ${options.out}/index.html`);
