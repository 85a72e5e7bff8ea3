// Predicts my voxels from what vision models see, and maps how well, region by region.
import * as ac from "@alignedcut/alignedcut";

const options = ac.scriptOptions(
  "Predicts voxels from vision models by ridge regression; scores by region.",
  {
    subject: ["", "a subject's folder in the layout of Algonauts 2023; without it, the simulated subject"],
    models: ["clip_tiny", "ONNX files or names, with commas between"],
    limit: [1000, "photographs at most", [10, Infinity]],
    out: ["brain", "folder of index.html, cortex.svg and voxels.arrow"],
  },
);
const folder = options.subject || (await ac.exampleData()).subject;
const { photographs, responses, rois } = await ac.readBrainSubject(folder, "training", options.limit);
const { means } = await ac.meanFeatures(options.models.split(","), photographs);

// The last fifth of the photographs is held out: neither fitted nor used to choose the penalty.
const count = photographs.length, kept = Math.floor(0.8 * count);
const rowsOf = ({ data, cols }: ac.Matrix, from: number, to: number) => {
  return { data: data.slice(from * cols, to * cols), rows: to - from, cols };
};
using gpu = await ac.openGpu();
const encoder = await ac.ridge(gpu, rowsOf(means, 0, kept), rowsOf(responses, 0, kept), { alphaFor: "all" });
const predicted = await encoder.predict(rowsOf(means, kept, count));
const score = ac.brainScore(predicted, rowsOf(responses, kept, count), { rois });

const region = new Array<string>(responses.cols).fill("");
for (const [name, voxels] of rois) for (const voxel of voxels) region[voxel] ||= name;
await ac.saveTable(`${options.out}/voxels.arrow`, { region, r: Float32Array.from(score.r) });
const cortex = await ac.cortexSvg(folder, [{ title: options.models, values: score.r }], "correlation r");
await Deno.writeTextFile(`${options.out}/cortex.svg`, cortex);
const values = Array.from(score.rois, ([region, { mean }]) => ({ region, mean }));
const [x, y] = [{ field: "mean", type: "quantitative" }, { field: "region", type: "nominal", sort: "-x" }];
await ac.savePage(`${options.out}/index.html`, {
  title: "My brain",
  question: `How well does ${options.models} predict ${responses.cols} voxels?`,
  method: `Ridge regression on ${kept} photographs; correlation over ${count - kept} others.`,
  sections: [{ heading: "Regions", chart: { data: { values }, mark: "bar", encoding: { x, y } } }],
});
console.log(`mean r ${score.mean.toFixed(3)} of ${responses.cols} voxels: ${options.out}/index.html`);
