/**
 * `deno task fixtures`: the embedded world on disk, in the layouts that people have of the real data sets, with a report
 * page. A stopped run goes on where it stopped; the same options give the same bytes.
 */
import { parseArgs } from "@std/cli/parse-args";
import { createObserver } from "../fixtures/observer/mod.ts";
import { assertWritable } from "../src/data/atomic_write.ts";
import { writeFixturesReport } from "../src/experiments/fixtures_report.ts";
import { planWorld, worldSteps, writeWorld } from "../src/experiments/fixtures_world.ts";
import { openProgress } from "../src/report/progress.ts";

const HELP = `deno task fixtures [options]

  --out DIR       where the data go: algonauts, voc, imagenet_segmentation, truth (default: .cache/world)
  --scenes N      training scenes; N / 5 held-out ones and N / 10 for segmentation come with them (default: 1000)
  --seed N        seed of the observer (default: 0)
  --report DIR    where the page and results.json go (default: reports/out)
  --help          this text`;

const FLAGS = ["out", "scenes", "seed", "report"];
const MOST_SCENES = 50_000;

interface Options {
  out: string;
  scenes: number;
  seed: number;
  report: string;
}

function readOptions(args: string[]): Options | null {
  const flags = parseArgs(args, {
    string: FLAGS,
    boolean: ["help"],
    unknown: (arg) => {
      throw new RangeError(`There is no option ${arg}: --help lists them all.`);
    },
  });
  if (flags.help) return null;
  return {
    out: flags.out || ".cache/world",
    scenes: wholeNumber("scenes", flags.scenes ?? "1000", 1, MOST_SCENES),
    seed: wholeNumber("seed", flags.seed ?? "0", 0, 2 ** 31),
    report: flags.report || "reports/out",
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new RangeError(`--${name} is "${text}": give a whole number from ${least} to ${most}.`);
}

async function fixtures({ out, scenes, seed, report }: Options): Promise<void> {
  const started = performance.now();
  for (const folder of [out, report]) await assertWritable(folder);
  const plan = planWorld(scenes, seed), observer = createObserver(seed);
  const steps = worldSteps(plan), progress = openProgress("fixtures", steps);
  const world = await writeWorld(out, plan, observer, (done, note) => progress.tick(done, note))
    .then((world) => (progress.tick(steps), world))
    .finally(() => progress.finish());
  const page = await writeFixturesReport({
    out: report,
    world: out,
    plan: world,
    observer,
    command: ["deno task fixtures", ...Deno.args].join(" "),
    seconds: (performance.now() - started) / 1000,
  });
  console.error(
    `${world.training.count} training, ${world.test.count} held-out and ${world.graph.count} segmentation scenes, ${world.voxels} voxels in ${out}; ${page}`,
  );
}

if (import.meta.main) {
  try {
    const options = readOptions(Deno.args);
    if (options) await fixtures(options);
    else console.log(HELP);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
