/** Where a run is, by what it has left on disk. */

/** Stages of the pipeline in their order. */
export const STAGES = ["pooled features", "align", "extract", "fit", "propagate", "t-SNE", "report"] as const;

/** Index of the stage that the run in a folder is at, or goes on with. */
export async function stageOf(folder: string): Promise<number> {
  const align = await namesIn(`${folder}/cache/align`), runs = await namesIn(`${folder}/cache/runs`);
  const count = async (within: string, names: string[], prefix: string, file: string) => {
    let found = 0;
    for (const name of names.filter((name) => name.startsWith(prefix) && !name.includes("."))) {
      if ((await namesIn(`${folder}/cache/${within}/${name}`)).includes(file)) found++;
    }
    return found;
  };
  const there = async (name: string, file = "finished.json") => await count("runs", runs, name, file) > 0;
  if (await there("map-")) return 6;
  if (await there("eigenvectors-")) return 5;
  if (await there("eigenvectors-", "fit.arrow")) return 4;
  if (await count("runs", runs, "features-", "finished.json") === MODELS) return 3;
  if (align.some((name) => /^align-[0-9a-f]+\.arrow$/.test(name))) return 2;
  return await count("align", align, "pooled-", "finished.json") === 2 * MODELS ? 1 : 0; // training and test
}

/** The built-in ones. */
const MODELS = 3;

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder)).catch(() => [])).map(({ name }) => name);
}
