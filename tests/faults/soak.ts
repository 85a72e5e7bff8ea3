/** Fifty runs in one process: memory stays flat, and every GPU buffer is given back. */
import type { FaultFamily } from "./family.ts";

const RUNS = { quick: 2, whole: 50 };
/** Runs before memory is measured, for caches and compiled code; and by how much it may grow after them. */
const WARM = { quick: 1, whole: 10 }, GROWTH = 1.05;

export const soak: FaultFamily = {
  name: "soak",
  title: "runs of reproduce --quick that compute everything, one after the other in one process",
  async run({ quick, report }) {
    const folder = await Deno.makeTempDir({ prefix: "alignedcut-soak-" });
    const runs = quick ? RUNS.quick : RUNS.whole, warm = quick ? WARM.quick : WARM.whole;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "-A",
        "--v8-flags=--expose-gc",
        new URL("./soak_worker.ts", import.meta.url).pathname,
        String(runs),
        folder,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const failures: string[] = [], resident: number[] = [];
    let rest = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines.filter((line) => line.startsWith("@"))) {
        const { rss, inUse, held } = JSON.parse(line.slice(1));
        resident.push(rss / 2 ** 20);
        if (inUse !== 0 || held !== 0) {
          failures.push(`run ${resident.length}: ${inUse} bytes of GPU buffers in use and ${held} held`);
        }
        if (resident.length % 10 === 0) report(`${resident.length} runs, ${Math.round(rss / 2 ** 20)} MB`);
      }
    }
    const { code } = await child.status;
    await Deno.remove(folder, { recursive: true });
    if (code !== 0 || resident.length !== runs) {
      failures.push(`the process ended with ${code} after ${resident.length} of ${runs} runs`);
    }
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const third = Math.max(1, Math.floor((runs - warm) / 3));
    const before = mean(resident.slice(warm, warm + third)), after = mean(resident.slice(-third));
    if (!quick && !(after <= GROWTH * before)) {
      failures.push(`memory grew from ${Math.round(before)} to ${Math.round(after)} MB`);
    }
    return {
      tried: runs,
      failures,
      figures: { "MB at first": before.toFixed(0), "MB at the end": after.toFixed(0) },
    };
  },
};
