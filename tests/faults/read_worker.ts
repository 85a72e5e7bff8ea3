/** Reads damaged files one after the other, as told by lines of JSON on its input; tells what became of each. */
import { READERS } from "./readers.ts";

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const { format, path, folder } = JSON.parse(line), started = performance.now();
    let message: string | null = null, kind = "";
    try {
      await READERS[format].read(path, folder);
    } catch (error) {
      message = error instanceof Error ? error.message : String(error);
      kind = error instanceof Error ? error.constructor.name : typeof error;
    }
    const { rss } = Deno.memoryUsage();
    console.log(`@${JSON.stringify({ message, kind, ms: performance.now() - started, rss })}`);
  }
}
