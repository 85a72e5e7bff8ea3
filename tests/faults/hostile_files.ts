/** Every format that is read, damaged at random, made up to do harm, and with something else in its place. */
import { dirname } from "node:path";
import { seededRandom } from "../../src/linalg/random.ts";
import { BOMBS } from "./bombs.ts";
import { type FaultFamily, unclear } from "./family.ts";
import { mutate, type Mutation } from "./mutations.ts";
import { READERS } from "./readers.ts";
import { type Answer, MAX_BYTES, MAX_MS, startReader } from "./reading_process.ts";
import { neighborsOf, type Samples, writeSamples } from "./samples.ts";
import { specialFiles } from "./special_files.ts";

/** Damaged copies of each format. */
const EACH = { quick: 12, whole: 130 };
const CORPUS = new URL("./corpus/", import.meta.url);

export const hostileFiles: FaultFamily = {
  name: "files",
  title: "files of every format read: bits, lengths, cuts, bombs, links, pipes",
  async run({ quick, seed, report }) {
    const scratch = await Deno.makeTempDir({ prefix: "alignedcut-faults-" });
    const folder = `${scratch}/read`, outside = `${scratch}/made`;
    await Deno.mkdir(outside);
    const samples = await writeSamples(`${scratch}/samples`);
    const reader = startReader(dirname(scratch), folder), failures: string[] = [];
    let tried = 0, refused = 0, slowest = 0, largest = 0;
    const read = async (format: string, what: string, path: string, ends = "either") => {
      const answer = await reader.read(format, path);
      [slowest, largest] = [Math.max(slowest, answer.ms), Math.max(largest, answer.peak)];
      const isRefused = answer.message !== null;
      const why = badAnswer(answer, READERS[format].named ?? path.replace(/^.*\//, "")) ??
        (ends === "refused" && !isRefused ? "it was read" : ends === "read" ? answer.message : null);
      if (why) failures.push(`${format}, ${what}: ${why}`);
      return { isRefused, isRight: !why };
    };
    try {
      for (const [format, bytes] of Object.entries(samples)) {
        const random = seededRandom(seed + tried), path = `${folder}/${READERS[format].file}`;
        const cases: Mutation[] = [
          ...await BOMBS[format]?.({ samples, folder: outside, quick }) ?? [],
          ...await corpusOf(format),
          ...Array.from({ length: quick ? EACH.quick : EACH.whole }, () => mutate(bytes, random)),
        ];
        for (const [name, beside] of Object.entries(await neighborsOf(format, samples))) {
          await place(`${folder}/${name}`, (at) => Deno.writeFile(at, beside));
        }
        await place(path, (at) => Deno.writeFile(at, bytes));
        await read(format, "whole", path, "read");
        for (const { what, bytes: damaged } of cases) {
          tried++;
          await place(path, (at) => Deno.writeFile(at, damaged));
          const { isRefused, isRight } = await read(format, what, path);
          refused += Number(isRefused);
          if (isRight) continue;
          await place(
            `${scratch}/broke/${format.replaceAll(" ", "_")}-${tried}.bin`,
            (at) => Deno.writeFile(at, damaged),
          );
        }
        for (const { what, make, ends } of specialFiles(bytes, outside)) {
          tried++;
          await place(path, make);
          refused += Number((await read(format, what, path, ends)).isRefused);
        }
        await Deno.remove(path, { recursive: true });
        report(`${format}: ${cases.length} tried, ${failures.length} failed so far`);
      }
      await assertUntouched(folder, samples, failures);
    } finally {
      reader.end();
      if (failures.length === 0) await Deno.remove(scratch, { recursive: true });
      else report(`what broke is in ${scratch}/broke`);
    }
    const figures = {
      "refused with a sentence": String(refused),
      "slowest": `${(slowest / 1000).toFixed(1)} s`,
      "most memory": `${Math.round(largest / 1e6)} MB`,
    };
    return { tried, failures, figures };
  },
};

/** What is wrong with an answer, or null. @param name what the message has to name */
function badAnswer({ message, kind, ms, peak }: Answer, name: string): string | null {
  if (ms > MAX_MS) return `it took ${Math.round(ms / 1000)} s`;
  if (peak > MAX_BYTES) return `the process had ${Math.round(peak / 1e6)} MB`;
  if (message === null) return null;
  const why = unclear(message);
  if (why) return `${why}: ${message.slice(0, 200)}`;
  if (kind === "TypeError" || kind === "crash") return message.slice(0, 200);
  return message.includes(name) ? null : `the file is not named: ${message.slice(0, 200)}`;
}

/** Puts something in a place, whatever was there. */
async function place(path: string, make: (path: string) => Promise<unknown>): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.remove(path, { recursive: true }).catch(() => {});
  await make(path);
}

/** Nothing was written by the readers. */
async function assertUntouched(folder: string, samples: Samples, failures: string[]): Promise<void> {
  const known = new Set<string>();
  for (const format of Object.keys(samples)) {
    for (const name of Object.keys(await neighborsOf(format, samples))) known.add(name);
  }
  for (const name of await filesOf(folder)) {
    if (!known.has(name)) failures.push(`a reader left ${name} behind`);
  }
}

async function filesOf(folder: string, within = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${within}`)) {
    if (isDirectory) names.push(...await filesOf(folder, `${within}${name}/`));
    else names.push(`${within}${name}`);
  }
  return names;
}

/**
 * Files that broke a reader once, FORMAT-WHY-N: "endless" took longer or more memory than a file may, as those that
 * apache-arrow went round in for 15 s and a pickle of 2⁴⁵ tuples; "unclear" ended in an error of the engine's or of several
 * lines; "infinite" gave numbers that are not finite. The readers before 7a4ac54 and before plain_file.ts.
 */
async function corpusOf(format: string): Promise<Mutation[]> {
  const found: Mutation[] = [];
  for await (const { name } of Deno.readDir(CORPUS)) {
    if (!name.startsWith(`${format.replaceAll(" ", "_")}-`)) continue;
    found.push({ what: `corpus ${name}`, bytes: await Deno.readFile(new URL(name, CORPUS)) });
  }
  return found.sort((a, b) => a.what < b.what ? -1 : 1);
}
