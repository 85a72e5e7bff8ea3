/** Data that every clone has, for scripts that are given none. */

/** Where the example data are. */
export interface ExampleData {
  /** A folder of photographs: rendered scenes. */
  photographs: string;
  /** A subject's folder in the layout of Algonauts 2023: the embedded observer's responses to other scenes. */
  subject: string;
}

/**
 * The embedded world with a few scenes, written under `.cache` on first use (some seconds).
 *
 * @param scenes that the observer sees; a fifth as many photographs and test scenes; default 60
 */
export async function exampleData(scenes = 60): Promise<ExampleData> {
  const { embeddedWorld, subjectOf, worldFolder } = await import("../experiments/embedded_world.ts");
  const subject = subjectOf(await embeddedWorld(scenes));
  return { photographs: `${worldFolder(scenes)}/voc/JPEGImages`, subject };
}
