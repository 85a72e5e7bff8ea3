/**
 * Loaded before a task (`deno run --preload`): what $BREAK_OFF says happens to it as it gives its first result its name.
 *
 * "full": that disk is full, now and after; "killed": half of the file is written and the process is gone, as after `kill -9`.
 * Notes in $RUN_FOLDER, and what is only cached about the adapter, are no results; a full disk takes them neither.
 */
const how = Deno.env.get("BREAK_OFF"), run = Deno.env.get("RUN_FOLDER")!;
const { rename } = Deno;
let isFull = false;

Deno.rename = async (from, to) => {
  const isResult = !String(to).startsWith(run) && !String(to).endsWith("adapters.json");
  if (isResult && how === "killed") {
    await Deno.truncate(String(from), (await Deno.stat(from)).size >> 1);
    Deno.kill(Deno.pid, "SIGKILL");
    await new Promise(() => {}); // until it is
  }
  isFull ||= isResult;
  if (isFull) throw new Error("No space left on device (os error 28)");
  return await rename(from, to);
};
