/** How many threads Mesa's software adapter computes with. */

/**
 * Lets the software adapter start two threads a processor, before the first adapter is asked for. Its own choice is one: they
 * sleep between dispatches, and where the system then wakes two on the same processor, the other waits. It changes no
 * result. What the user has set in LP_NUM_THREADS stays.
 */
export function doubleSoftwareThreads(): void {
  if (Deno.env.get("LP_NUM_THREADS")) return;
  Deno.env.set("LP_NUM_THREADS", String(2 * navigator.hardwareConcurrency));
}
