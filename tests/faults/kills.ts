/** Kill -9 at random instants: the next run goes on, and ends in the bytes of a run that nobody killed. */
import { seededRandom } from "../../src/linalg/random.ts";
import type { FaultFamily } from "./family.ts";
import { stageOf, STAGES } from "./run_stage.ts";
import { differences, hashesOf, runFolder, smallRun, startSmallRun, wholeRun } from "./small_run.ts";

const KILLS = { quick: 3, whole: 100 };
/** Latest instant of a kill in the stage that a run goes on with, as a share of a whole run. */
const REACH = 0.35;
/** Latest instant of a kill after a later stage was reached, in ms. */
const WITHIN = 500;
/** How often a run's folder is looked at, in ms. */
const LOOK = 5;
/** Kills on the way of one run to its end. */
const MOST = 12;

export const kills: FaultFamily = {
  name: "kill",
  title: "kill -9 at random instants of every stage of the pipeline, from the first to the report",
  async run({ quick, seed, report }) {
    const root = await Deno.makeTempDir({ prefix: "alignedcut-kills-" }), random = seededRandom(seed);
    const failures: string[] = [], wanted = quick ? KILLS.quick : KILLS.whole;
    const hit: number[] = STAGES.map(() => 0);
    let tried = 0, finished = 0, ended = 0;
    try {
      const { ms, hashes } = await wholeRun();
      while (tried < wanted) {
        const folder = await runFolder(`${root}/killed${finished}`);
        // Several kills on the way to the end, each run going on where the last was.
        for (let k = 0; k < MOST && tried < wanted; k++) {
          const now = await stageOf(folder), aim = now + Math.floor(random() * (STAGES.length - now));
          const child = startSmallRun({ folder });
          let isOver = false;
          const drained = child.output().finally(() => isOver = true);
          while (!isOver && await stageOf(folder) < aim) await wait(LOOK);
          await Promise.race([drained, wait(random() * (aim > now ? WITHIN : ms * REACH))]);
          try {
            child.kill("SIGKILL");
          } catch { /* it has ended */ }
          const { signal } = await drained;
          if (signal === "SIGKILL") {
            tried++;
            hit[await stageOf(folder)]++;
          } else ended++;
          if (signal === null) break;
        }
        const { code, said } = await smallRun({ folder });
        if (code !== 0) failures.push(`after kills the next run said: ${said}`);
        const found = await hashesOf(folder), differ = differences(hashes, found);
        const left = Object.keys(found).filter((path) => path.endsWith(".tmp"));
        if (left.length > 0) failures.push(`left behind: ${left.join(", ")}`);
        const others = differ.filter((path) => !left.includes(path));
        if (others.length > 0) failures.push(`other bytes: ${others.slice(0, 5).join(", ")}`);
        if (failures.length === 0) await Deno.remove(folder, { recursive: true });
        finished++;
        report(`${tried} kills, ${finished} runs brought to their end, ${failures.length} failed so far`);
      }
    } finally {
      if (failures.length === 0) await Deno.remove(root, { recursive: true });
      else report(`what was left is in ${root}`);
    }
    for (const [at, stage] of STAGES.entries()) {
      if (!quick && hit[at] === 0) failures.push(`no kill hit the stage ${stage}`);
    }
    return {
      tried,
      failures,
      figures: {
        "kills in": STAGES.map((stage, at) => `${stage} ${hit[at]}`).join(", "),
        "runs brought to their end": String(finished),
        "ended before the kill": String(ended),
      },
    };
  },
};

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
