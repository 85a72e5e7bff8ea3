// Cuts what I point at out of one photograph.
import * as ac from "@alignedcut/alignedcut";

const options = ac.scriptOptions("Cuts what I point at out of one photograph.", {
  photo: ["", "an image file; without it, an embedded scene, at whose object the defaults point"],
  x: [0.6, "where I point, from the left edge (0) to the right edge (1) of what the model sees", [0, 1]],
  y: [0.3, "and from the top (0) to the bottom (1)", [0, 1]],
  model: ["mae_tiny", "an ONNX file, or clip_tiny, dino_tiny, mae_tiny"],
  layer: [6, "number of the layer", [1, Infinity]],
  threshold: [0.5, "least likeness to the point, a cosine from -1 to 1", [-1, 1]],
  out: ["segment", "folder of segment.png: the photograph, black where it is not like the point"],
});
const photos = await ac.listPhotographs(options.photo || (await ac.exampleData()).photographs);
const photo = photos[options.photo ? 0 : 1];
const features = await ac.patchFeatures(options.model, [photo], [options.layer]);
const { grid, layers: [{ patches }], views: [view] } = features;

using gpu = await ac.openGpu();
const { eigenvectors } = await ac.normalizedCut(gpu, patches, { components: 6 });

/** The patch at a place, given as shares of width and height. */
function patchAt(x: number, y: number): number {
  const index = (share: number, count: number) => Math.min(count - 1, Math.floor(share * count));
  return index(y, grid.rows) * grid.cols + index(x, grid.cols);
}
const clicks = { positive: [patchAt(options.x, options.y)], threshold: options.threshold };
const { mask } = ac.clickSimilarity(eigenvectors, clicks);
const data = view.data.map((value, at) => {
  const pixel = Math.floor(at / 3), x = pixel % view.width, y = Math.floor(pixel / view.width);
  return value * mask[patchAt(x / view.width, y / view.height)];
});
await ac.savePng(`${options.out}/segment.png`, { ...view, data }, 2);
console.log(
  `${mask.filter((inside) => inside).length} of ${mask.length} patches kept in ${options.out}/segment.png`,
);
