// Colors every patch of my photographs: patches of one color are alike to the model, in whichever photograph they are.
import * as ac from "@alignedcut/alignedcut";

const options = ac.scriptOptions("Colors every patch of my photographs by what a model sees in it.", {
  photos: ["", "folder of photographs, or one of them; without it, synthetic scenes"],
  model: ["dino_tiny", "an ONNX file, or clip_tiny, dino_tiny, mae_tiny"],
  layer: [9, "number of the layer", [1, Infinity]],
  limit: [12, "photographs at most", [1, Infinity]],
  out: ["colors", "folder of the pictures and of nodes.csv"],
});
const folder = options.photos || (await ac.exampleData()).photographs;
const photos = await ac.listPhotographs(folder, options.limit);
const features = await ac.patchFeatures(options.model, photos, [options.layer]);
const { model, grid, names, layers: [{ layer, patches }] } = features;

// One graph of all photographs, so that a color means the same in each.
using gpu = await ac.openGpu();
const { eigenvectors } = await ac.normalizedCut(gpu, patches, { components: 20 });
const sample = Math.min(1000, patches.rows);
const { colors } = await ac.spectralColors(gpu, ac.matrixSource(eigenvectors), { sample });

const bytes = 3 * grid.rows * grid.cols;
for (const [i, name] of names.entries()) {
  const data = colors.subarray(i * bytes, (i + 1) * bytes);
  await ac.savePng(`${options.out}/${name}.png`, { width: grid.cols, height: grid.rows, data }, 16);
}
const nodes = { images: names, slots: [{ model, layer }], grid, hasClassToken: false, eigenvectors, colors };
await ac.saveNodes(`${options.out}/nodes.csv`, nodes);
console.log(`${names.length} pictures and nodes.csv in ${options.out}`);
