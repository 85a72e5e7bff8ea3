/** Features of all layers of the built-in models: how much of the time is onnxruntime's own. */
import type { OpenOwnWork } from "../work.ts";
import type { WorkPlan } from "../work_plan.ts";

const IMAGES = 384;

export const plans: WorkPlan[] = [{
  name: "extraction",
  title: `features of all layers of one model, ${IMAGES} images, to disk`,
  own: ["ours"],
  peers: [],
  rounds: 3,
  options: () => ({ images: IMAGES }),
  async prepare(folder) {
    await Deno.mkdir(`${folder}/features`, { recursive: true });
    return { folder: `${folder}/features` };
  },
}];

export const open: OpenOwnWork = async (_gpu, files, { images }) => {
  const path = new URL("../extraction_run.ts", import.meta.url).href; // not a literal: a bare checkout has no packages
  const { openExtraction } = await import(path);
  return await openExtraction(files.folder, images as number);
};
