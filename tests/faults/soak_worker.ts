/** Runs every experiment so many times in this process, without keeping results of experiments, and tells its memory. */
import { readFlags } from "../../tasks/read_flags.ts";
import { reproduceAll } from "../../tasks/reproduce_all.ts";

const [runs, folder] = Deno.args;
const { gc } = globalThis as unknown as { gc(how: { type: "major"; flavor: "last-resort" }): void };

/** Makes V8 give back what it holds for later: its heap is as large as it likes, between 120 and 180 MB here. */
async function collect(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    gc({ type: "major", flavor: "last-resort" });
    await new Promise((resolve) => setTimeout(resolve, 50)); // for what is freed behind the scenes
  }
}

const asked = { folders: {}, models: [] };
for (let run = 0; run < Number(runs); run++) {
  const flags = readFlags(
    ["--quick", "--limit", "4", "--landmarks", "100", "--out", `${folder}/out`, "--cache", `${folder}/cache`],
    ["limit", "landmarks", "out", "cache"],
    ["quick"],
  )!;
  const inUse = await reproduceAll({ flags, asked });
  await collect();
  console.log(`@${JSON.stringify({ rss: Deno.memoryUsage().rss, inUse })}`);
}
