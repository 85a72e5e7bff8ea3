/** Runs every experiment so many times in this process, without keeping results of experiments, and tells its memory. */
import { readFlags } from "../../tasks/read_flags.ts";
import { reproduceAll } from "../../tasks/reproduce_all.ts";

const [runs, folder] = Deno.args, { gc } = globalThis as unknown as { gc(): void };
const asked = { folders: {}, models: [] };
for (let run = 0; run < Number(runs); run++) {
  const flags = readFlags(
    ["--quick", "--limit", "4", "--landmarks", "100", "--out", `${folder}/out`, "--cache", `${folder}/cache`],
    ["limit", "landmarks", "out", "cache"],
    ["quick"],
  )!;
  const inUse = await reproduceAll({ flags, asked });
  gc();
  console.log(`@${JSON.stringify({ rss: Deno.memoryUsage().rss, inUse })}`);
}
