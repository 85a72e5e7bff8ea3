/** Data that every clone has, for scripts that are given none. */
import { assertKnown } from "../linalg/check_options.ts";

/** Folders of the example data. */
export interface ExampleData {
  /** A folder of photographs: rendered scenes. */
  photographs: string;
  /** A subject's folder in the layout of Algonauts 2023: the simulated subject's responses to other scenes. */
  subject: string;
}

/**
 * The synthetic dataset with a few scenes, written to the cache on first use (some seconds).
 *
 * @param scenes number of scenes that the simulated subject sees; photographs and test scenes are a fifth of that number each; default 60
 * @param options `signal`: stops the rendering, which then rejects with the signal's reason and later goes on from there
 * @returns where its folders are
 * @throws Error "The example data are drawn from files beside the package: …" where the package is used from a registry
 */
export async function exampleData(
  scenes = 60,
  options: { signal?: AbortSignal } = {},
): Promise<ExampleData> {
  assertKnown("exampleData", options, { signal: true });
  options.signal?.throwIfAborted();
  if (!import.meta.url.startsWith("file:")) {
    throw new Error(
      "The example data are drawn from files beside the package: clone its repository, or give photographs and a subject of your own.",
    );
  }
  const { syntheticDataset, subjectOf, datasetFolder } = await import("../synthetic/dataset.ts");
  const subject = subjectOf(
    await syntheticDataset(scenes, undefined, () => options.signal?.throwIfAborted()),
  );
  return { photographs: `${datasetFolder(scenes)}/voc/JPEGImages`, subject };
}
