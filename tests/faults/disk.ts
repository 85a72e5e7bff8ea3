/** Disks that fail: full, not writable, or gone in the middle of a run. */
import { copyFolder } from "../support/copy_folder.ts";
import type { FaultFamily } from "./family.ts";
import { unclear } from "./family.ts";
import { differences, hashesOf, runFolder, smallRun, startSmallRun, wholeRun } from "./small_run.ts";

/** Sizes of a file system, in MB, that the run does not fit. */
const SIZES = { quick: [3], whole: [1, 2, 3, 5, 8, 12] };
/** Bytes that are left on a disk that is full: a run begins, and does not end. */
const LEFT = 200_000;
/** Seconds after which the folder of the report, or of the cache, is removed. */
const MOMENTS = [1, 2, 4, 6, 9];

export const disk: FaultFamily = {
  name: "disk",
  title: "a full file system, folders that cannot be written, folders removed in the middle of a run",
  async run({ quick, report }) {
    const root = await Deno.makeTempDir({ prefix: "alignedcut-disk-" }), failures: string[] = [];
    let tried = 0, skipped = "";
    const onFileSystem = async (what: string, megabytes: number, work: (folder: string) => Promise<void>) => {
      if (await withFileSystem(`${root}/small`, megabytes, work)) return report(what);
      skipped = "full disks, as no small file system can be mounted here";
      report(`skipped: ${what}`);
    };
    const judge = (what: string, code: number, said: string, mayWork = false) => {
      tried++;
      if (mayWork && code === 0) return;
      if (code !== 1) failures.push(`${what}: exit code ${code}, ${said}`);
      else if (unclear(said)) failures.push(`${what}: ${unclear(said)}: ${said.slice(0, 200)}`);
    };
    try {
      const whole = await wholeRun();

      const needed = await megabytesOf(whole.folder),
        dataset = await megabytesOf(`${whole.folder}/cache/synthetic-120`);
      for (const size of quick ? SIZES.quick : SIZES.whole) {
        const what = `${size} MB beside the synthetic dataset`;
        await onFileSystem(what, dataset + size, async (folder) => {
          await runFolder(folder);
          const { code, said } = await smallRun({ folder });
          judge(what, code, said);
          const left = Object.keys(await hashesOf(folder)).filter((path) => path.endsWith(".tmp"));
          if (left.length > 0) failures.push(`${what}: left behind ${left.join(", ")}`);
        });
      }
      await onFileSystem("a full disk that holds earlier results", needed + 1, async (folder) => {
        await copyFolder(whole.folder, folder);
        await fillDisk(`${folder}/filler`, LEFT);
        const { code, said } = await smallRun({ folder, args: ["--seed", "1", "--out", "other"] });
        judge("another run on a full disk", code, said);
        const lost = async () => {
          const hashes = await hashesOf(folder);
          return Object.keys(whole.hashes).filter((path) => hashes[path] !== whole.hashes[path]);
        };
        const touched = await lost();
        if (touched.length > 0) {
          failures.push(`a full disk: earlier results were touched, ${touched.slice(0, 3)}`);
        }
        await Deno.remove(`${folder}/filler`);
        const again = await smallRun({ folder });
        tried++;
        if (again.code !== 0 || (await lost()).length > 0) {
          failures.push(`a disk that was full: the earlier run said ${again.said}`);
        }
      });

      await Deno.writeTextFile(`${root}/file`, "not a folder");
      for (
        const [what, ...args] of [["a file in place of the report", "--out", `${root}/file`], [
          "/proc",
          "--out",
          "/proc/alignedcut",
        ], ["a file in place of the cache", "--cache", `${root}/file`]]
      ) {
        const { code, said } = await smallRun({ folder: whole.folder, args });
        judge(what, code, said);
      }
      if (differences(await hashesOf(whole.folder), whole.hashes).length > 0) {
        failures.push("earlier results were touched");
      }

      for (const gone of quick ? [] : ["out", "cache"]) {
        for (const moment of MOMENTS) {
          const folder = await runFolder(`${root}/gone-${gone}-${moment}`);
          const child = startSmallRun({ folder }), output = child.output();
          const timer = setTimeout(
            () => Deno.remove(`${folder}/${gone}`, { recursive: true }).catch(() => {}),
            1000 * moment,
          );
          const { code, stderr } = await output;
          clearTimeout(timer);
          const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1)!;
          judge(`${gone} removed after ${moment} s`, code, said, true);
          const again = await smallRun({ folder });
          tried++;
          if (again.code !== 0) {
            failures.push(`${gone} removed after ${moment} s, the next run: ${again.said}`);
          } else {
            const differ = differences(await hashesOf(folder), whole.hashes);
            if (differ.length > 0) {
              failures.push(
                `${gone} removed after ${moment} s, the next run: other bytes in ${differ.slice(0, 3)}`,
              );
            }
          }
          await Deno.remove(folder, { recursive: true });
          report(`${gone} removed after ${moment} s`);
        }
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    return { tried, failures, ...(skipped && { figures: { skipped } }) };
  },
};

/** Does work in a folder on a file system of N MB. @returns whether there could be one */
async function withFileSystem(
  folder: string,
  megabytes: number,
  work: (folder: string) => Promise<void>,
): Promise<boolean> {
  await Deno.mkdir(folder, { recursive: true });
  if (!await command("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder)) return false;
  try {
    await work(folder);
  } finally {
    await command("umount", folder);
  }
  return true;
}

/** Writes a file until the disk is full, and gives N bytes back. */
async function fillDisk(path: string, left: number): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  let size = 0;
  try {
    for (const piece = new Uint8Array(2 ** 16);;) size += await file.write(piece);
  } catch { /* full */ }
  await file.truncate(Math.max(0, size - left));
}

/** What a folder takes in blocks of 4 kB, in MB; on other disks than this one, too, which may pack or round. */
async function megabytesOf(folder: string): Promise<number> {
  return Math.ceil(await blocksOf(folder) / 256);
}

/** Blocks of 4 kB of a folder's files, and one for each folder. */
async function blocksOf(folder: string): Promise<number> {
  let blocks = 1;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    blocks += isDirectory ? await blocksOf(path) : Math.ceil((await Deno.stat(path)).size / 4096);
  }
  return blocks;
}

async function command(name: string, ...args: string[]): Promise<boolean> {
  return await new Deno.Command(name, { args, stdout: "null", stderr: "null" }).output().then(
    ({ success }) => success,
    () => false,
  );
}
