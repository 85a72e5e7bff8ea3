// Clusters any embedding by the normalised cut: one vector a thing, from an .npy, .npz, .csv, .arrow, .parquet or .safetensors file.
import * as ac from "@alignedcut/alignedcut";

const options = ac.scriptOptions("Clusters the rows of an embedding by the normalised cut.", {
  file: [
    "",
    ".npy, .npz, .csv, .tsv, .arrow, .parquet or .safetensors file; without it, what a model makes of synthetic scenes",
  ],
  header: ["auto", "whether the first line of .csv or .tsv names the columns: yes, no or auto"],
  clusters: [3, "how many", [2, Infinity]],
  out: ["clusters", "folder of clusters.csv and clusters.arrow: name, cluster and eigenvectors of every row"],
});
const header = { yes: true, no: false, auto: undefined }[options.header];
if (!/^(yes|no|auto)$/.test(options.header)) throw new RangeError("--header: give yes, no or auto.");
const file = options.file && await ac.readEmbedding(options.file, { header });
const { matrix, names } = file || await embeddedScenes();

using gpu = await ac.openGpu();
const { eigenvectors, eigenvalues } = await ac.normalizedCut(gpu, matrix, { components: options.clusters });
const { labels } = ac.kmeans(eigenvectors, { clusters: options.clusters });

const { data, rows, cols } = eigenvectors;
const table: Record<string, ac.TableColumn> = {
  name: names ?? Array.from({ length: rows }, (_, i) => String(i)),
  cluster: labels,
};
for (let c = 0; c < cols; c++) {
  table[`eigenvector_${c + 1}`] = Float32Array.from({ length: rows }, (_, i) => data[i * cols + c]);
}
for (const type of ["csv", "arrow"]) await ac.saveTable(`${options.out}/clusters.${type}`, table);
const shown = Array.from(eigenvalues, (value) => value.toFixed(3)).join(", ");
console.log(`${rows} rows in ${options.clusters} clusters, eigenvalues ${shown}: ${options.out}`);

async function embeddedScenes(): Promise<ac.Embedding> {
  const photos = await ac.listPhotographs((await ac.exampleData()).photographs);
  const { means } = await ac.meanFeatures(["dino_tiny"], photos);
  return { matrix: means, names: photos.map((path) => path.replace(/^.*\//, "")) };
}
