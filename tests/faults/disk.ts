/** Disks that fail: full, not writable, or gone in the middle of a run. */
import type { FaultFamily } from "./family.ts";
import { unclear } from "./family.ts";
import { differences, hashesOf, smallRun, startSmallRun, wholeRun } from "./small_run.ts";

/** Sizes of a file system, in MB, that the run does not fit. */
const SIZES = { quick: [3], whole: [1, 2, 3, 5, 8, 12] };
/** Seconds after which the folder of the report, or of the cache, is removed. */
const MOMENTS = [1, 2, 4, 6, 9];

export const disk: FaultFamily = {
  name: "disk",
  title: "a full file system, folders that cannot be written, folders removed in the middle of a run",
  async run({ quick, tell }) {
    const root = await Deno.makeTempDir({ prefix: "alignedcut-disk-" }), failures: string[] = [];
    let tried = 0, skipped = "";
    const judge = (what: string, code: number, said: string, mayWork = false) => {
      tried++;
      if (mayWork && code === 0) return;
      if (code !== 1) failures.push(`${what}: exit code ${code}, ${said}`);
      else if (unclear(said)) failures.push(`${what}: ${unclear(said)}: ${said.slice(0, 200)}`);
    };
    try {
      const whole = await wholeRun();

      for (const size of quick ? SIZES.quick : SIZES.whole) {
        const folder = `${root}/small`;
        await Deno.mkdir(folder, { recursive: true });
        const mounted = await command("mount", "-t", "tmpfs", "-o", `size=${size}m`, "tmpfs", folder);
        if (!mounted) {
          skipped = "no right to mount a small file system";
          break;
        }
        try {
          const { code, said } = await smallRun({ folder });
          judge(`${size} MB`, code, said);
          const left = Object.keys(await hashesOf(folder)).filter((path) => path.endsWith(".tmp"));
          if (left.length > 0) failures.push(`${size} MB: left behind ${left.join(", ")}`);
        } finally {
          await command("umount", folder);
        }
        tell(`a file system of ${size} MB`);
      }

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
          const folder = `${root}/gone-${gone}-${moment}`;
          await Deno.mkdir(folder);
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
          tell(`${gone} removed after ${moment} s`);
        }
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    return { tried, failures, ...(skipped && { figures: { skipped } }) };
  },
};

async function command(name: string, ...args: string[]): Promise<boolean> {
  return await new Deno.Command(name, { args, stdout: "null", stderr: "null" }).output().then(
    ({ success }) => success,
    () => false,
  );
}
