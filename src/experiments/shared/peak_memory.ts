/** Peak memory of the process. */
import process from "node:process";

/** Largest resident set so far in MB. */
export function peakResidentMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
