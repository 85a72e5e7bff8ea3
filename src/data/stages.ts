/** Stages of a pipeline on disk: each kept under the hash of its inputs, so that nothing finished is done again. */
import { createHash } from "node:crypto";
import { writeFileAtomic } from "./atomic_write.ts";

/** Whether a stage had to run, and why. */
export interface StageReport {
  name: string;
  /** "kept" when an earlier run's result was there. */
  state: "kept" | "run" | "would run";
  why: string;
}

/** Stages of one folder. */
export interface Stages {
  /**
   * The folder of a stage whose result is there, computed now if it was not.
   *
   * @param name of the stage, as part of a file name
   * @param inputs all that the result depends on: plain values, hashes for files
   * @param compute fills the folder, one process at a time; a stage that was stopped finds there what it had left
   * @returns the folder; null when only explaining and the result is not there
   */
  run(
    name: string,
    inputs: Record<string, unknown>,
    compute: (folder: string) => Promise<void>,
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

/**
 * Opens the stages of a folder.
 *
 * @param dir made when missing
 * @param explain compute nothing, only tell what would run
 */
export function openStages(dir: string, explain = false): Stages {
  const reports: StageReport[] = [];
  return {
    reports,
    async folder(name, inputs) {
      const folder = folderOf(dir, name, JSON.stringify(inputs));
      await Deno.mkdir(folder, { recursive: true });
      return folder;
    },
    async run(name, inputs, compute) {
      const text = JSON.stringify(inputs);
      const folder = folderOf(dir, name, text);
      if (await readText(`${folder}/${DONE}`) === text) {
        reports.push({ name, state: "kept", why: "finished with the same inputs" });
        return folder;
      }
      const why = await reasonToRun(dir, name, inputs);
      if (explain) {
        reports.push({ name, state: "would run", why });
        return null;
      }
      await Deno.mkdir(folder, { recursive: true });
      const release = await hold(`${folder}.lock`);
      try {
        if (await readText(`${folder}/${DONE}`) === text) {
          reports.push({ name, state: "kept", why: "finished meanwhile by another process" });
          return folder;
        }
        await compute(folder);
        await writeFileAtomic(`${folder}/${DONE}`, text);
      } finally {
        await release();
      }
      reports.push({ name, state: "run", why });
      return folder;
    },
  };
}

/** Waits until no other process holds a file, and holds it; what a killed process held is free. */
async function hold(path: string): Promise<() => Promise<void>> {
  const file = await Deno.open(path, { write: true, create: true });
  await file.lock(true);
  return async () => {
    await Deno.remove(path).catch(() => {}); // by one who waited
    file.close();
  };
}

function folderOf(dir: string, name: string, inputs: string): string {
  return `${dir}/${name}-${createHash("sha256").update(inputs).digest("hex").slice(0, 16)}`;
}

async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return null; // absent
  }
}

/** What differs from the finished run of this stage that is most like it. */
async function reasonToRun(dir: string, name: string, inputs: Record<string, unknown>): Promise<string> {
  let least: string[] | null = null;
  try {
    for await (const entry of Deno.readDir(dir)) {
      if (!entry.isDirectory || !entry.name.startsWith(`${name}-`)) continue;
      const text = await readText(`${dir}/${entry.name}/${DONE}`);
      if (text === null) continue;
      const other = JSON.parse(text) as Record<string, unknown>;
      const names = [...new Set([...Object.keys(other), ...Object.keys(inputs)])].sort();
      const differ = names.filter((key) => JSON.stringify(other[key]) !== JSON.stringify(inputs[key]));
      if (least === null || differ.length < least.length) least = differ;
    }
  } catch { /* no folder yet */ }
  return least === null ? "never finished before" : `${least.join(", ")} changed`;
}
