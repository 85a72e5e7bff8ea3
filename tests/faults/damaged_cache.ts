/** Files of a cache that are altered, cut or lost: the next run makes them again, and ends in the bytes of a whole one. */
import { seededRandom } from "../../src/linalg/random.ts";
import { copyFolder } from "../support/copy_folder.ts";
import type { FaultFamily } from "./family.ts";
import { differences, hashesOf, smallRun, wholeRun } from "./small_run.ts";

/** Files damaged one by one, beside the damage to one of each kind at once. */
const SINGLE = { quick: 0, whole: 20 };

/** Stages that take little time, for the short form. */
const LAST = /\/(?:map|colors)-/;

/** Ways to damage a file. */
const HARMS: Record<string, (path: string, random: () => number) => Promise<void>> = {
  async "one bit"(path, random) {
    const bytes = await Deno.readFile(path);
    bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
    await Deno.writeFile(path, bytes);
  },
  cut: async (path, random) => await Deno.truncate(path, Math.floor(random() * (await Deno.stat(path)).size)),
  lost: async (path) => await Deno.remove(path),
};

export const damagedCache: FaultFamily = {
  name: "cache",
  title: "files of finished stages altered, cut or lost",
  async run({ quick, seed, report }) {
    const failures: string[] = [], random = seededRandom(seed), whole = await wholeRun();
    const root = await Deno.makeTempDir({ prefix: "alignedcut-cache-" }), harms = Object.keys(HARMS);
    // Stages, alignments and features; the synthetic dataset is data, and adapters.json a note of speeds.
    const files = Object.keys(whole.hashes).filter((path) => /^cache\/(?:runs|align)\//.test(path)).sort();
    const kinds = new Map(
      files.map((path) => [path.replace(/\d+/g, "0").replace(/[0-9a-f]{12,}/g, ""), path]),
    );
    let tried = 0;
    const bear = async (paths: string[]) => {
      const folder = `${root}/${tried++}`, done: string[] = [];
      await copyFolder(whole.folder, folder);
      for (const path of paths) {
        const harm = harms[Math.floor(random() * harms.length)];
        await HARMS[harm](`${folder}/${path}`, random);
        done.push(`${path} ${harm}`);
      }
      const { code, said } = await smallRun({ folder }),
        differ = differences(whole.hashes, await hashesOf(folder));
      if (code !== 0) failures.push(`${done.join(", ")}: exit code ${code}, ${said}`);
      else if (differ.length > 0) failures.push(`${done.join(", ")}: other bytes in ${differ.slice(0, 3)}`);
      await Deno.remove(folder, { recursive: true });
      report(done.slice(0, 2).join(", "));
    };
    try {
      await bear([...kinds.values()].filter((path) => !quick || LAST.test(path)));
      for (let i = 0; i < (quick ? SINGLE.quick : SINGLE.whole); i++) {
        await bear([files[Math.floor(random() * files.length)]]);
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    return { tried, failures };
  },
};
