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
async function cutsOf({ layers }: ac.PatchFeatures) { // eigenvectors of every layer's graph
  const cut = ({ patches }: { patches: ac.Matrix }) => ac.normalizedCut(gpu, patches, { components: 10 });
  return (await Promise.all(layers.map(cut))).map(({ eigenvectors }) => eigenvectors);
}
const seen = await Promise.all([options.a, options.b].map((model) => ac.patchFeatures(model, photos)));
const grids = seen.map(({ grid: { rows, cols } }) => `${rows} × ${cols}`);
if (grids[0] !== grids[1]) throw new Error(`Patches are ${grids.join(" and ")}: give models of one grid.`);
const [a, b] = [await cutsOf(seen[0]), await cutsOf(seen[1])];
const values: { a: number; b: number; overlap: number }[] = [];
for (const [i, x] of a.entries()) {
  for (const [j, y] of b.entries()) {
    const { data } = await ac.matmul(gpu, x, y, { transposeA: true });
    values.push({ a: i + 1, b: j + 1, overlap: data.reduce((sum, value) => sum + value ** 2, 0) / y.cols });
  }
}
const column = (name: "a" | "b" | "overlap") => values.map((row) => row[name]);
const table = { layer_a: column("a"), layer_b: column("b"), overlap: column("overlap") };
await ac.saveTable(`${options.out}/overlap.csv`, table);
const [y, x] = (["a", "b"] as const).map((field) => ({ field, type: "ordinal", title: options[field] }));
const color = { field: "overlap", type: "quantitative" };
await ac.savePage(`${options.out}/index.html`, {
  title: "Layers compared",
  question: "Do two models part the same patches in the same way?",
  method: "Overlap ‖XᵀY‖² / C of two layers' eigenvectors: 1 for the same subspace, 0 for orthogonal ones.",
  sections: [{ heading: "Overlap", chart: { data: { values }, mark: "rect", encoding: { x, y, color } } }],
});
console.log(`${a.length} × ${b.length} layers compared: ${options.out}/index.html`);
