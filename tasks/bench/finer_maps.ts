/**
 * What finer maps bring and cost, as a table: `./run script tasks/bench/finer_maps.ts --images DIR --masks DIR --model FILE`.
 * The masks are NAME.png for NAME.jpg, white where the figure is.
 */
import { closeGpu } from "../../mod.ts";
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { readHook } from "../../src/cli/data_flags.ts";
import { finerMaps } from "../../src/experiments/shared/finer_maps.ts";
import { folderImages } from "../../src/pipeline/images.ts";
import { openProgress } from "../../src/report/progress.ts";
import { openTaskGpu } from "../shared/open_task_gpu.ts";
import { adapterOf, readFlags, runTask, wholeNumber } from "../../src/cli/read_flags.ts";
import { CACHE_FOLDER } from "../../src/data/files/project_folder.ts";

const HELP = `./run script tasks/bench/finer_maps.ts --images DIR --masks DIR --model FILE [options]

  --layer N       which layer (default: 9)
  --hook NAME     what is taken of every block (default: attention)
  --limit N       the first N images (default: 20)
  --shifts N      shifted images along each side, up to (default: 4)
  --out FILE      numbers as JSON (default: reports/out/finer_maps.json)
  --adapter KIND  hardware or software (default: hardware if there is one)`;

await runTask(async () => {
  const flags = readFlags(Deno.args, [
    "images",
    "masks",
    "model",
    "layer",
    "hook",
    "limit",
    "shifts",
    "out",
    "adapter",
  ]);
  if (!flags) return console.log(HELP);
  const { images: folder, masks, model } = flags;
  if (!folder || !masks || !model) {
    throw new RangeError("Images, masks or model are missing: give --images DIR --masks DIR --model FILE.");
  }
  const limit = wholeNumber(flags, "limit", 2, 10_000) ?? 20, layer = wholeNumber(flags, "layer", 1) ?? 9;
  const most = wholeNumber(flags, "shifts", 1, 8) ?? 4, hook = readHook(String(flags.hook ?? "attention"));
  const images = await folderImages(String(folder), String(masks), limit);
  const gpu = await openTaskGpu(adapterOf(flags), CACHE_FOLDER);
  const shifts = [1, 2, 4, 8].filter((each) => each <= most), progress = openProgress("maps", shifts.length);
  try {
    const scores = await finerMaps(gpu, String(model), images, {
      layer,
      hook,
      shifts,
      onProgress: progress.tick,
    })
      .finally(progress.finish);
    const out = String(flags.out ?? "reports/out/finer_maps.json");
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
  } finally {
    closeGpu(gpu);
  }
});
