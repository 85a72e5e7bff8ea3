/** The whole pipeline on a few scenes, as a process of its own, and what it leaves on disk. */
import { createHash } from "node:crypto";
import { datasetFolder, syntheticDataset } from "../../src/synthetic/dataset.ts";
import { copyFolder } from "../support/copy_folder.ts";

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];
const TASK = new URL("../../tasks/colors.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Training scenes of its synthetic dataset. */
const SCENES = 120;

/** Makes a folder to run in, with the synthetic dataset in its cache, which takes longer to render than to copy. */
export async function runFolder(folder: string): Promise<string> {
  await syntheticDataset(SCENES);
  await copyFolder(datasetFolder(SCENES), datasetFolder(SCENES, `${folder}/cache`));
  return folder;
}

/** Options of the small run. */
export interface SmallRun {
  /** Working folder; the run writes out and cache in it. */
  folder: string;
  args?: string[];
  env?: Record<string, string>;
  permissions?: string[];
  /** The processors that it is held to, as "0"; default all. */
  processors?: string;
}

/** Starts it. */
export function startSmallRun(
  { folder, args = [], env, permissions = PERMISSIONS, processors }: SmallRun,
): Deno.ChildProcess {
  return new Deno.Command(processors ? "taskset" : Deno.execPath(), {
    args: [
      ...(processors ? ["-c", processors, Deno.execPath()] : []),
      "run",
      "--quiet",
      "--no-check",
      "--no-prompt",
      `--config=${CONFIG}`,
      ...permissions,
      TASK,
      "--quick",
      "--limit",
      "2",
      "--landmarks",
      "100",
      "--out",
      "out",
      "--cache",
      "cache",
      ...args,
    ],
    cwd: folder,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs it to its end. @returns exit code and the last line that it said */
export async function smallRun(run: SmallRun): Promise<{ code: number; said: string }> {
  const { code, stderr } = await startSmallRun(run).output();
  const lines = new TextDecoder().decode(stderr).split("\n").filter((line) =>
    line && !/XDG_RUNTIME_DIR/.test(line)
  );
  return { code, said: lines.at(-1) ?? "" };
}

/** A run that nothing happens to. */
export interface WholeRun {
  folder: string;
  hashes: Record<string, string>;
  /** How long it took. */
  ms: number;
}

let whole: Promise<WholeRun> | undefined;

/**
 * The run that others are compared with, once a process.
 *
 * @throws Error what the run said when it failed
 */
export function wholeRun(): Promise<WholeRun> {
  return whole ??= (async () => {
    const folder = await runFolder(await Deno.makeTempDir({ prefix: "alignedcut-whole-" }));
    const started = performance.now();
    addEventListener("unload", () => {
      try {
        Deno.removeSync(folder, { recursive: true });
      } catch { /* gone already */ }
    });
    const { code, said } = await smallRun({ folder });
    if (code !== 0) throw new Error(`The run that nothing happens to said: ${said}`);
    return { folder, ms: performance.now() - started, hashes: await hashesOf(folder) };
  })();
}

/** Hashes of all files of a folder by path; times and memory in results.json, and which kernels were faster, left out. */
export async function hashesOf(folder: string, within = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${within}`)) {
    const path = within ? `${within}/${name}` : name;
    if (isDirectory) {
      Object.assign(found, await hashesOf(folder, path));
      continue;
    }
    if (name === "adapters.json") continue;
    let bytes = await Deno.readFile(`${folder}/${path}`);
    if (name === "results.json") {
      const { timings: _, memory: __, ...rest } = JSON.parse(new TextDecoder().decode(bytes));
      bytes = new TextEncoder().encode(JSON.stringify(rest));
    }
    found[path] = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  }
  return found;
}

/** What differs between two runs, by path; nothing when they are equal. */
export function differences(a: Record<string, string>, b: Record<string, string>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path]).sort();
}
