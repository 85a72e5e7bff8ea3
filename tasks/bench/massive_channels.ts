/**
 * What large channels and long tokens do to a layer's cut, as a table:
 * `./run script tasks/bench/massive_channels.ts --images DIR --masks DIR --model FILE`. The masks are NAME.png for NAME.jpg, white
 * where the figure is.
 */
import { normalizedCut } from "../../mod.ts";
import { folderImages, viewed } from "../../src/pipeline/images.ts";
import { openRunModels } from "../../src/pipeline/models.ts";
import { sampleUniversality, withoutFirst } from "../../src/experiments/brain_score/universality.ts";
import { balancedAccuracy } from "../../src/statistics/balanced_accuracy.ts";
import { CACHE_FOLDER } from "../../src/data/files/project_folder.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { openProgress } from "../../src/report/progress.ts";
import { openTaskGpu } from "../shared/open_task_gpu.ts";
import { runCommand } from "../../src/cli/options.ts";
import { text, wholeNumber } from "../../src/cli/option_kinds.ts";
import { adapter, masks } from "../shared/options.ts";

const COMMAND = {
  task: "script",
  usage: "./run script tasks/bench/massive_channels.ts --images DIR --masks DIR --model FILE [options]",
  options: {
    images: text({ value: "DIR", help: "photographs" }),
    masks,
    model: text({ value: "FILE", help: "a vision transformer as ONNX, or the name of a model" }),
    limit: wholeNumber({ help: "use the first N images", default: 40, from: 2, to: 10_000 }),
    adapter,
  },
};

/** Every channel less its mean, and over its standard deviation where `scaled`. */
function treated({ data, rows, cols }: Matrix, scaled: boolean): Matrix {
  const mean = new Float64Array(cols), square = new Float64Array(cols);
  data.forEach((value, at) => {
    mean[at % cols] += value / rows;
    square[at % cols] += value * value / rows;
  });
  const scale = mean.map((value, c) => scaled ? 1 / (Math.sqrt(square[c] - value * value) || 1) : 1);
  return { data: data.map((value, at) => (value - mean[at % cols]) * scale[at % cols]), rows, cols };
}

function median(values: Float64Array): number {
  return values.toSorted()[values.length >> 1];
}

await runCommand(COMMAND, async ({ options }) => {
  const { images: folder, masks, model, limit } = options;
  if (!folder || !masks || !model) {
    throw new RangeError("Images, masks or model are missing: give --images DIR --masks DIR --model FILE.");
  }
  const { models, view, patch } = await openRunModels([model]);
  const images = viewed(await folderImages(folder, masks, limit), view, patch);
  using gpu = await openTaskGpu(options.adapter, CACHE_FOLDER);
  const { slots } = await sampleUniversality(models, images, [], 0);
  const progress = openProgress("cut", slots.length, "layers");
  const lines = [
    "| layer | largest channel / median | longest token / median | figure against ground: as they are | means off | standardised | λ₂: as they are | means off | standardised |",
    "| - | - | - | - | - | - | - | - | - |",
  ];
  for (const [s, { name, features, figure }] of slots.entries()) {
    const { data, rows, cols } = features;
    const channels = new Float64Array(cols), lengths = new Float64Array(rows);
    data.forEach((value, at) => {
      channels[at % cols] += Math.abs(value) / rows;
      lengths[Math.floor(at / cols)] += value * value;
    });
    const found = [];
    for (const x of [features, treated(features, false), treated(features, true)]) {
      const cut = await normalizedCut(gpu, x, { components: 10, tolerance: 1e-4 });
      const accuracy = balancedAccuracy(withoutFirst(cut.eigenvectors), [...figure.keys()], [...figure]);
      found.push({ accuracy, lambda2: cut.eigenvalues[1] });
    }
    lines.push(
      `| ${
        [
          name,
          (Math.max(...channels) / median(channels)).toFixed(1),
          Math.sqrt(Math.max(...lengths) / median(lengths)).toFixed(2),
          ...found.map(({ accuracy }) => accuracy.toFixed(3)),
          ...found.map(({ lambda2 }) => lambda2.toFixed(4)),
        ].join(" | ")
      } |`,
    );
    progress.tick(s + 1);
  }
  progress.finish();
  console.log(lines.join("\n"));
  console.error(`${images.length} images, ${slots[0].features.rows} tokens a layer, ten eigenvectors`);
});
