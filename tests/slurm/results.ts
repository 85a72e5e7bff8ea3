/** What two runs must have in common to the last bit. */

/** The claim that is about time, too. */
const TIMED = "more-landmarks-instead-of-orthogonalisation";

/** The bytes of a stage's files, by name; stages are told apart by their folders' names. */
export async function stageFiles(cache: string, names: RegExp): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await visit(path);
      else if (names.test(path)) {
        const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
        found[path.slice(cache.length)] = new Uint8Array(hash).toHex();
      }
    }
  };
  await visit(`${cache}/runs`);
  return found;
}

/** Files that hold numbers, not times. */
export const RESULTS = /(?:fit\.arrow|points[23]\.npy|map\.json|images-[\d-]+\.arrow)$/;

/** Metrics and claims without what a clock says. */
export async function resultsOf(out: string): Promise<unknown> {
  const { experiments } = JSON.parse(await Deno.readTextFile(`${out}/results.json`));
  for (
    const { metrics, claims } of Object.values<
      { metrics: object; claims: { id: string; measured: string }[] }
    >(experiments)
  ) {
    for (const name of Object.keys(metrics)) {
      if (name.startsWith("seconds.")) delete metrics[name as keyof typeof metrics];
    }
    for (const claim of claims) {
      claim.measured = claim.measured.replace(/[\d.]+(?:e[−-]?\d+)? s\b/g, "… s");
      if (claim.id === TIMED) Object.assign(claim, { cells: [], verdict: "as a clock says" });
    }
  }
  const numbers = Object.entries<{ metrics: object; claims: unknown[] }>(experiments);
  return Object.fromEntries(numbers.map(([name, { metrics, claims }]) => [name, { metrics, claims }]));
}
