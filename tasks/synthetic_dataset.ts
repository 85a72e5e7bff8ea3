/**
 * `./run synthetic-dataset`: the synthetic dataset on disk, in the layouts that people have of the real data sets, with a report
 * page. A stopped run goes on where it stopped; the same options give the same bytes.
 */
import { createSubject } from "../fixtures/subject/mod.ts";
import { writeSyntheticDataReport } from "../src/experiments/synthetic_data/report.ts";
import { planDataset, writeDataset } from "../src/synthetic/write_dataset.ts";
import { runStage } from "./shared/stage.ts";
import { datasetFolder, SCENES } from "../src/synthetic/dataset.ts";
import { commandLine, type Parsed, runCommand } from "../src/cli/options.ts";
import { text, wholeNumber } from "../src/cli/option_kinds.ts";
import { openFolders } from "./shared/task_folders.ts";

/** The task and its options. */
export const COMMAND = {
  task: "synthetic-dataset",
  options: {
    out: text({
      value: "DIR",
      help: "where the data go: algonauts, voc, imagenet_segmentation, truth",
      default: datasetFolder(SCENES),
      shown: ".cache/synthetic",
    }),
    scenes: wholeNumber({
      help: "training scenes; N / 5 held-out ones and N / 10 for segmentation come with them",
      default: SCENES,
      from: 1,
      to: 50_000,
    }),
    seed: wholeNumber({ help: "seed of the simulated subject", default: 0, from: 0, to: 2 ** 31 }),
    report: text({ value: "DIR", help: "where the page and results.json go", default: "reports/out" }),
  },
};

async function writeSynthetic({ options }: Parsed<typeof COMMAND.options>): Promise<void> {
  const { out, scenes, seed, report } = options;
  const started = performance.now();
  await openFolders({ "--out": out, "--report": report });
  const plan = planDataset(scenes, seed), subject = createSubject(seed);
  const dataset = await runStage(
    {},
    "synthetic dataset",
    (tick) => writeDataset(out, plan, subject, tick),
  );
  const page = await writeSyntheticDataReport({
    out: report,
    dataset: out,
    plan: dataset,
    simulated: () => subject,
    command: commandLine(COMMAND.task, Deno.args),
    seconds: (performance.now() - started) / 1000,
  });
  console.error(
    `${dataset.training.count} training, ${dataset.test.count} held-out and ${dataset.graph.count} segmentation scenes, ${dataset.voxels} voxels in ${out}; ${page}`,
  );
}

if (import.meta.main) await runCommand(COMMAND, writeSynthetic);
