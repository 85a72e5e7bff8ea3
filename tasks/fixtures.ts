/**
 * `./run fixtures`: the embedded world on disk, in the layouts that people have of the real data sets, with a report
 * page. A stopped run goes on where it stopped; the same options give the same bytes.
 */
import { createObserver } from "../fixtures/observer/mod.ts";
import { writeFixturesReport } from "../src/experiments/synthetic_data/report.ts";
import { datasetSteps, planDataset, writeDataset } from "../src/synthetic/write_dataset.ts";
import { openProgress } from "../src/report/progress.ts";
import { datasetFolder, SCENES } from "../src/synthetic/dataset.ts";
import { commandLine, readFlags, runTask, wholeNumber } from "../src/cli/read_flags.ts";
import { openFolders } from "./shared/task_folders.ts";

const HELP = `./run fixtures [options]

  --out DIR       where the data go: algonauts, voc, imagenet_segmentation, truth (default: .cache/world)
  --scenes N      training scenes; N / 5 held-out ones and N / 10 for segmentation come with them (default: 1000)
  --seed N        seed of the observer (default: 0)
  --report DIR    where the page and results.json go (default: reports/out)
  --help          this text`;

const MOST_SCENES = 50_000;

interface Options {
  out: string;
  scenes: number;
  seed: number;
  report: string;
}

function readOptions(args: string[]): Options | null {
  const flags = readFlags(args, ["out", "scenes", "seed", "report"]);
  if (!flags) return null;
  return {
    out: String(flags.out || datasetFolder(SCENES)),
    scenes: wholeNumber(flags, "scenes", 1, MOST_SCENES) ?? SCENES,
    seed: wholeNumber(flags, "seed", 0, 2 ** 31) ?? 0,
    report: String(flags.report || "reports/out"),
  };
}

async function fixtures({ out, scenes, seed, report }: Options): Promise<void> {
  const started = performance.now();
  await openFolders({ "--out": out, "--report": report });
  const plan = planDataset(scenes, seed), observer = createObserver(seed);
  const steps = datasetSteps(plan), progress = openProgress("fixtures", steps);
  const world = await writeDataset(out, plan, observer, (done, note) => progress.tick(done, note))
    .then((world) => (progress.tick(steps), world))
    .finally(() => progress.finish());
  const page = await writeFixturesReport({
    out: report,
    world: out,
    plan: world,
    observer,
    command: commandLine("fixtures", Deno.args),
    seconds: (performance.now() - started) / 1000,
  });
  console.error(
    `${world.training.count} training, ${world.test.count} held-out and ${world.graph.count} segmentation scenes, ${world.voxels} voxels in ${out}; ${page}`,
  );
}

if (import.meta.main) {
  await runTask(async () => {
    const options = readOptions(Deno.args);
    if (options) await fixtures(options);
    else console.log(HELP);
  });
}
