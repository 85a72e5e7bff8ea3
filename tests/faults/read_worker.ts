/** Reads damaged files one after the other, as told by lines of JSON on its input; tells what became of each. */
import process from "node:process";
import { openPeakMemory } from "./peak_memory.ts";
import { READERS } from "./readers.ts";

const peakMemory = openPeakMemory();
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const { format, path, folder } = JSON.parse(line);
    peakMemory();
    const started = process.cpuUsage(); // by the clock, it would be the machine's other work, too
    let message: string | null = null, kind = "";
    try {
      await READERS[format].read(path, folder);
    } catch (error) {
      message = error instanceof Error ? error.message : String(error);
      kind = error instanceof Error ? error.constructor.name : typeof error;
    }
    const { user, system } = process.cpuUsage(started), kept = Deno.memoryUsage().rss;
    const ms = (user + system) / 1000;
    console.log(`@${JSON.stringify({ message, kind, ms, peak: peakMemory(), kept })}`);
  }
}
