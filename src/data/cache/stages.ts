/** Stages of a pipeline on disk: each cached under the hash of its inputs, so that nothing finished is done again. */
import * as v from "valibot";
import { createHash } from "node:crypto";
import { holdFile, writeFileAtomic } from "../files/atomic_write.ts";
import { FILE_HASHES, objectOf, parseJson, recordOf } from "../files/checked_json.ts";
import { type BrokenFile, brokenFiles, type FileHashes, hashFiles } from "../files/file_hashes.ts";

/** Whether a stage had to run, and why. */
export interface StageReport {
  name: string;
  /** "cached" when an earlier run's result was there. */
  state: "cached" | "run" | "would run";
  why: string;
}

/** What an explanation ends with where the rest depends on a result that is not there. */
export class NotFinished extends Error {
  /**
   * @param stage its name
   * @param why it would run
   */
  constructor(readonly stage: string, readonly why: string) {
    super(`${stage} has not finished: ${why}.`);
  }
}

/** Stages of one folder. */
export interface Stages {
  /** Whether they only report what would run. */
  explains: boolean;
  /**
   * The folder of a stage whose result is there, every byte as it was written; computed now if it is not.
   *
   * @param name of the stage, as part of a file name
   * @param inputs all that the result depends on: plain values, hashes for files
   * @param compute fills the folder, one process at a time; a stage that was stopped finds there what it had left, but for
   * broken files, which are removed
   * @param findBroken which files in folders of the stage's folder are not as they were written, looking at every byte or at
   * a part of them; those right in it are compared with the hashes that were noted when the stage finished
   * @returns the folder; null when only explaining and the result is not there
   */
  run(
    name: string,
    inputs: Record<string, unknown>,
    compute: (folder: string) => Promise<void>,
    findBroken?: (folder: string, hashesAll: boolean) => Promise<BrokenFile[]>,
  ): Promise<string | null>;
  /**
   * The folder that `run` uses for these inputs, made when missing, whether finished or not: for those who do a part of a
   * stage that another process finishes.
   */
  folder(name: string, inputs: Record<string, unknown>): Promise<string>;
  /** What was kept and what ran, in order. */
  reports: StageReport[];
}

const DONE = "finished.json";

/** What `finished.json` says. */
interface Finished {
  inputs: Record<string, unknown>;
  /** Of the result, by name. */
  files: FileHashes;
}

const FINISHED = objectOf({ inputs: recordOf(v.unknown()), files: FILE_HASHES });

/**
 * Opens the stages of a folder.
 *
 * @param dir made when missing
 * @param explain compute nothing, only report what would run
 * @param hashesAll look at every byte of results that are there, not at a part of them where they are large
 */
export function openStages(dir: string, explain = false, hashesAll = false): Stages {
  const reports: StageReport[] = [];
  return {
    explains: explain,
    reports,
    async folder(name, inputs) {
      const folder = folderOf(dir, name, inputs);
      await Deno.mkdir(folder, { recursive: true });
      return folder;
    },
    async run(name, inputs, compute, findBroken) {
      const folder = folderOf(dir, name, inputs);
      /** Null where the stage has not finished. */
      const findAllBroken = async () => {
        const finished = await readFinished(folder, inputs);
        const broken = finished && await brokenFiles(folder, finished.files, hashesAll);
        return broken?.length === 0 && findBroken ? await findBroken(folder, hashesAll) : broken;
      };
      let broken = await findAllBroken();
      if (broken?.length === 0) {
        reports.push({ name, state: "cached", why: "finished with the same inputs" });
        return folder;
      }
      const why = broken ? damage(broken) : await reasonToRun(dir, name, inputs);
      if (explain) {
        reports.push({ name, state: "would run", why });
        return null;
      }
      await Deno.mkdir(folder, { recursive: true });
      const release = await holdFile(`${folder}.lock`);
      try {
        broken = await findAllBroken();
        if (broken?.length === 0) {
          reports.push({ name, state: "cached", why: "finished meanwhile by another process" });
          return folder;
        }
        for (const { file } of broken ?? []) await Deno.remove(`${folder}/${file}`).catch(() => {});
        await Deno.remove(`${folder}/${DONE}`).catch(() => {});
        await compute(folder);
        const finished: Finished = { inputs, files: await hashFiles(folder, await resultFiles(folder)) };
        await writeFileAtomic(`${folder}/${DONE}`, JSON.stringify(finished));
      } finally {
        await release();
      }
      reports.push({ name, state: "run", why });
      return folder;
    },
  };
}

function folderOf(dir: string, name: string, inputs: Record<string, unknown>): string {
  const hash = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
  return `${dir}/${name}-${hash}`;
}

/** What a stage has noted when it finished, with these inputs if some are given; null where it has not, or without hashes. */
async function readFinished(folder: string, inputs?: Finished["inputs"]): Promise<Finished | null> {
  try {
    const found = parseJson(await Deno.readTextFile(`${folder}/${DONE}`), FINISHED);
    return !inputs || JSON.stringify(found.inputs) === JSON.stringify(inputs) ? found : null;
  } catch {
    return null; // absent, or damaged itself
  }
}

/** Names of the files right in a stage's folder, without notes and what was left unfinished. */
async function resultFiles(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const names = entries.filter(({ isFile }) => isFile).map(({ name }) => name);
  return names.filter((name) => name !== DONE && !name.endsWith(".tmp")).sort();
}

/** In one clause. */
function damage(broken: BrokenFile[]): string {
  const [{ file, state }, ...others] = broken;
  return `${file} is ${state}${others.length > 0 ? `, and ${others.length} more` : ""}`;
}

/** What differs from the finished run of this stage that is most like it. */
async function reasonToRun(dir: string, name: string, inputs: Record<string, unknown>): Promise<string> {
  let least: string[] | null = null;
  try {
    for await (const entry of Deno.readDir(dir)) {
      if (!entry.isDirectory || !entry.name.startsWith(`${name}-`)) continue;
      const other = (await readFinished(`${dir}/${entry.name}`))?.inputs;
      if (!other) continue;
      const names = [...new Set([...Object.keys(other), ...Object.keys(inputs)])].sort();
      const differ = names.filter((key) => JSON.stringify(other[key]) !== JSON.stringify(inputs[key]));
      if (least === null || differ.length < least.length) least = differ;
    }
  } catch { /* no folder yet */ }
  return least === null ? "never finished before" : `${least.join(", ")} changed`;
}
