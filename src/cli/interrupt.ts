/** What Ctrl-C does to a task: it says what is kept. */

let kept: string | undefined;

/** Says which folder keeps what a task has finished, for a run that is stopped. */
export function keepsFinishedIn(folder: string): void {
  kept = folder;
}

/** One sentence on what a stopped run leaves, and how to go on. */
function interruptMessage(folder = kept): string {
  return folder === undefined
    ? "Stopped."
    : `Stopped: what was finished is kept in ${folder}, and the same command goes on from there.`;
}

/**
 * Runs work that Ctrl-C ends with one sentence and exit code 130, the cursor shown again that a progress bar has hidden.
 * Files being written are under no final name, and the next run removes them.
 */
export async function endOnInterrupt<T>(work: () => Promise<T>): Promise<T> {
  const end = () => {
    if (Deno.stderr.isTerminal()) console.error("\x1b[?25h");
    console.error(interruptMessage());
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", end);
  try {
    return await work();
  } finally {
    Deno.removeSignalListener("SIGINT", end);
  }
}
