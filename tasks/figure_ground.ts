/** `deno task figure-ground`: figure and ground in brain space, and one pixel among images of other categories. */
import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { createObserver } from "../fixtures/observer/mod.ts";
import { renderScene } from "../fixtures/scenes/mod.ts";
import { openAlgonauts } from "../src/data/algonauts.ts";
import { writeFileAtomic } from "../src/data/atomic_write.ts";
import { openStages } from "../src/data/stages.ts";
import { REGIONS } from "../src/experiments/brain_data.ts";
import { subjectOf } from "../src/experiments/embedded_world.ts";
import { FIGURE_GROUND_VERSION, type FigureGround, figureGround } from "../src/experiments/figure_ground.ts";
import { writeFigureGroundReport } from "../src/experiments/figure_ground_report.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Measures figure and ground and writes the report. @returns the path of the page */
export async function runFigureGround(open: OpenPipeline): Promise<string> {
  const { gpu, pipeline, world, seed, timings, cacheDir } = open;
  const subject = await openAlgonauts(subjectOf(world));
  const rois = new Map(REGIONS.flatMap((name) => {
    const voxels = subject.rois.get(name);
    return voxels ? [[name, voxels] as const] : [];
  }));
  const categories = pipeline.images.map((_, i) => renderScene(i).category);
  const folder = await runStage(
    timings,
    "figure-ground",
    (tick) =>
      openStages(`${cacheDir}/../runs`).run("figure-ground", inputsOf(open), async (folder) => {
        const found = await figureGround(gpu, pipeline, rois, categories, seed, tick);
        await writeFileAtomic(`${folder}/found.json`, JSON.stringify(found));
      }),
  );
  const found: FigureGround = JSON.parse(await Deno.readTextFile(`${folder}/found.json`));
  return await writeFigureGroundReport(open, found, createObserver(world.observerSeed));
}

/** All that the numbers depend on. */
function inputsOf({ pipeline, world, seed }: OpenPipeline): Record<string, unknown> {
  const { eigenvectors, align, manifests } = pipeline, hash = createHash("sha256");
  for (const { data } of [eigenvectors, align.transforms, align.beta]) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return {
    version: FIGURE_GROUND_VERSION,
    features: manifests.map(({ layers }) => basename(dirname(layers[0].path))),
    vectors: hash.digest("hex"),
    ...{ world: world.fingerprint, seed },
  };
}

const HELP = `deno task figure-ground [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("figure-ground", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runFigureGround(open)}`);
    } finally {
      open.close();
    }
  });
}
