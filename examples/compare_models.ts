// Compares two models layer by layer: do they part the same patches in the same way?
import * as ac from "@alignedcut/alignedcut";

const options = ac.scriptOptions("Compares two models layer by layer by the subspaces of their cuts.", {
  photos: ["", "folder of photographs; without it, synthetic scenes"],
  a: ["clip_tiny", "an ONNX file, or clip_tiny, dino_tiny, mae_tiny"],
  b: ["dino_tiny", "another one, with the same grid of patches"],
  limit: [4, "photographs at most", [1, Infinity]],
  out: ["compared", "folder of index.html and overlap.csv"],
});
const folder = options.photos || (await ac.exampleData()).photographs;
const photos = await ac.listPhotographs(folder, options.limit);
using gpu = await ac.openGpu();
async function cutsOf(model: string) { // eigenvectors of every layer's graph
  const cuts: ac.Matrix[] = [];
  for (const { patches } of (await ac.patchFeatures(model, photos)).layers) {
    cuts.push((await ac.normalizedCut(gpu, patches, { components: 10 })).eigenvectors);
  }
  return cuts;
}
const a = await cutsOf(options.a), b = await cutsOf(options.b);
const layer_a: number[] = [], layer_b: number[] = [], overlap: number[] = [];
for (const [i, x] of a.entries()) {
  for (const [j, y] of b.entries()) {
    const { data } = await ac.matmul(gpu, x, y, { transposeA: true });
    overlap.push(data.reduce((sum, value) => sum + value ** 2, 0) / y.cols);
    layer_a.push(i + 1);
    layer_b.push(j + 1);
  }
}
await ac.saveTable(`${options.out}/overlap.csv`, { layer_a, layer_b, overlap });
const values = overlap.map((overlap, i) => ({ a: layer_a[i], b: layer_b[i], overlap }));
const [y, x] = (["a", "b"] as const).map((field) => ({ field, type: "ordinal", title: options[field] }));
const color = { field: "overlap", type: "quantitative" };
await ac.savePage(`${options.out}/index.html`, {
  title: "Layers compared",
  question: "Do two models part the same patches in the same way?",
  method: "Overlap ‖XᵀY‖² / C of two layers' eigenvectors: 1 for the same subspace, 0 for orthogonal ones.",
  sections: [{ heading: "Overlap", chart: { data: { values }, mark: "rect", encoding: { x, y, color } } }],
});
