/** Memory that is not held any more, given back when a stage ends: V8 waits until its own heap grows, whatever arrays lie beside it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of heap and arrays below which there is little to gain. */
const LITTLE = 2 ** 27;

let collect: (() => void) | undefined;

/** Collects garbage where there may be much. */
export function collectGarbage(): void {
  const { heapTotal, external } = Deno.memoryUsage();
  if (heapTotal + external < LITTLE) return;
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
