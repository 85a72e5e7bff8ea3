/**
 * What finer maps bring and cost, as a table: `./run script tasks/bench/finer_maps.ts --images DIR --masks DIR --model FILE`.
 * The masks are NAME.png for NAME.jpg, white where the figure is.
 */

import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { DATA_OPTIONS } from "../../src/cli/data_options.ts";
import { runCommand } from "../../src/cli/options.ts";
import { text, wholeNumber } from "../../src/cli/option_kinds.ts";
import { finerMaps } from "../../src/experiments/shared/finer_maps.ts";
import { folderImages } from "../../src/pipeline/images.ts";
import { openProgress } from "../../src/report/progress.ts";
import { openTaskGpu } from "../shared/open_task_gpu.ts";
import { adapter, masks } from "../shared/options.ts";
import { CACHE_FOLDER } from "../../src/data/files/project_folder.ts";

const COMMAND = {
  task: "script",
  usage: "./run script tasks/bench/finer_maps.ts --images DIR --masks DIR --model FILE [options]",
  options: {
    images: text({ value: "DIR", help: "photographs" }),
    masks,
    model: text({ value: "FILE", help: "a vision transformer as ONNX, or the name of a model" }),
    layer: wholeNumber({ help: "which layer", default: 9, from: 1 }),
    hook: DATA_OPTIONS.hook,
    limit: wholeNumber({ help: "use the first N images", default: 20, from: 2, to: 10_000 }),
    shifts: wholeNumber({ help: "shifted images along each side, at most", default: 4, from: 1, to: 8 }),
    out: text({ value: "FILE", help: "numbers as JSON", default: "reports/out/finer_maps.json" }),
    adapter,
  },
};

await runCommand(COMMAND, async ({ options }) => {
  const { images: folder, masks, model, limit, layer, shifts: most, hook = "attention", out } = options;
  if (!folder || !masks || !model) {
    throw new RangeError("Images, masks or model are missing: give --images DIR --masks DIR --model FILE.");
  }
  const images = await folderImages(folder, masks, limit);
  using gpu = await openTaskGpu(options.adapter, CACHE_FOLDER);
  const shifts = [1, 2, 4, 8].filter((each) => each <= most),
    progress = openProgress("maps", shifts.length, "strides");
  const scores = await finerMaps(gpu, model, images, {
    layer,
    hook,
    shifts,
    onProgress: (done, _, note) => progress.tick(done, note),
  })
    .finally(progress.finish);
  await Deno.mkdir(out.replace(/[^/]*$/, "") || ".", { recursive: true });
  const adapter = gpu.adapter.description;
  await writeFileAtomic(
    out,
    JSON.stringify({ model, layer, hook, images: images.length, adapter, scores }, null, 2),
  );
  const digits = (value: number | null, count = 3) => value === null ? "–" : value.toFixed(count);
  console.log(
    "| map | patches | oracle mIoU | p | two-way cut mIoU | majority of each patch | features, s | cut, s |",
  );
  console.log("| - | - | - | - | - | - | - | - |");
  for (const { shifts, interpolated, grid, oracle, p, twoWay, ceiling, seconds } of scores) {
    const map = interpolated
      ? "own patches, interpolated"
      : shifts === 1
      ? "own patches"
      : `${shifts} × ${shifts} shifts`;
    const cells = [
      map,
      `${grid.cols} × ${grid.rows}`,
      digits(oracle),
      digits(p, 4),
      digits(twoWay),
      digits(ceiling),
    ];
    console.log(`| ${[...cells, digits(seconds.features, 2), digits(seconds.cut, 2)].join(" | ")} |`);
  }
  console.error(`${images.length} images, layer ${layer}, hook ${hook}: ${out}`);
});
