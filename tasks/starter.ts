// NAME: what this script finds out, in one sentence.
// Run it: ./run script scripts/NAME.ts --help
import * as ac from "@alignedcut/alignedcut"; // everything that this package has; `./run deno doc mod.ts` lists it

// Options: what holds when one is not given, and its help. A number stays a number.
const options = ac.scriptOptions("NAME: what this script finds out, in one sentence.", {
  photos: ["", "folder of photographs; without it, synthetic scenes"],
  model: [
    "dino_tiny",
    "an ONNX file with its .preprocessor.json beside it, or clip_tiny, dino_tiny, mae_tiny",
  ],
  layer: [9, "number of the layer, 1 is the first", [1, Infinity]],
  out: ["NAME", "folder of what is written"],
});

// 1. Photographs: paths in the order of their names. Embedded scenes are rendered once, under .cache.
const folder = options.photos || (await ac.exampleData()).photographs;
const photos = await ac.listPhotographs(folder, 12);

// 2. Features: one row a patch, photograph by photograph, patches row by row.
const features = await ac.patchFeatures(options.model, photos, [options.layer]);
const { grid, names, layers: [{ patches }] } = features;

// 3. A graph of all patches; its eigenvectors tell which belong together. Matrices are { data, rows, cols }, row by row.
using gpu = await ac.openGpu();
const { eigenvectors, eigenvalues } = await ac.normalizedCut(gpu, patches, { components: 8 });

// 4. Groups of patches, the same in all photographs.
const { labels } = ac.kmeans(eigenvectors, { clusters: 5 });

// 5. Results: a table for pandas or R (.csv or .arrow), or DuckDB (.csv) …
const slots = [{ model: features.model, layer: options.layer }];
const nodes = { images: names, slots, grid, hasClassToken: false, eigenvectors, segments: labels };
await ac.saveNodes(`${options.out}/nodes.csv`, nodes);

// … and a page with a chart: any Vega-Lite spec. See examples/ for more.
const values = Array.from(eigenvalues, (eigenvalue, i) => ({ rank: i + 1, eigenvalue }));
const encoding = {
  x: { field: "rank", type: "ordinal" },
  y: { field: "eigenvalue", type: "quantitative" },
};
await ac.savePage(`${options.out}/index.html`, {
  title: "NAME",
  question: "How many groups stand apart?",
  method: `The normalised cut of ${patches.rows} patches of ${names.length} photographs.`,
  sections: [{ heading: "Eigenvalues", chart: { data: { values }, mark: "bar", encoding } }],
});
console.log(
  `${patches.rows} patches of ${names.length} photographs: ${options.out}/index.html and nodes.csv`,
);
