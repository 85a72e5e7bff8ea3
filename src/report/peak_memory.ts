/** Largest resident size of this process so far, MB; where the system does not tell, the size now. */
export async function peakResidentMb(): Promise<number> {
  let bytes = Deno.memoryUsage().rss;
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    bytes = 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)![1]);
  } catch { /* not Linux */ }
  return Math.round(10 * bytes / 2 ** 20) / 10;
}
