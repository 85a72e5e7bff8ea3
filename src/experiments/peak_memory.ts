/** Peak memory of the process. */

/** Largest resident set so far in MB, where the system tells (Linux); else the present one. */
export async function peakResidentMb(): Promise<number> {
  try {
    const line = (await Deno.readTextFile("/proc/self/status")).match(/VmHWM:\s+(\d+)/);
    if (line) return Math.round(Number(line[1]) / 1024);
  } catch { /* not Linux */ }
  return Math.round(Deno.memoryUsage().rss / 2 ** 20);
}
