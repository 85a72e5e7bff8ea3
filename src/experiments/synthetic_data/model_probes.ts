/** What linear probes read out of each layer of the built-in models, as training left it in `*_probe.json`. */

import { readPlainText } from "../../data/files/plain_file.ts";

/** One model's probes on held-out scenes, one value a layer. */
export interface ModelProbe {
  model: string;
  /** Accuracy over the ten categories; chance is 0.1. */
  category: number[];
  /** Balanced accuracy of figure against ground, patch by patch; chance is 0.5. */
  figureGround: number[];
}

/**
 * Reads the probes of a folder.
 *
 * @param dir holds MODEL_probe.json with `category_accuracy` and `figure_ground_balanced_accuracy`
 * @returns by the names of the models; empty where there are none
 * @throws Error "…_probe.json is not a probe: …"
 */
export async function readProbes(dir: string): Promise<ModelProbe[]> {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(dir)) if (name.endsWith("_probe.json")) files.push(name);
  return await Promise.all(
    files.sort().map(async (name) => {
      let content: Record<string, unknown>;
      try {
        content = JSON.parse(await readPlainText(`${dir}/${name}`));
      } catch {
        content = {};
      }
      const { category_accuracy: category, figure_ground_balanced_accuracy: figureGround } = content;
      if (!isNumbers(category) || !isNumbers(figureGround) || category.length !== figureGround.length) {
        throw new Error(
          `${dir}/${name} is not a probe: expected category_accuracy and figure_ground_balanced_accuracy by layer.`,
        );
      }
      return { model: name.replace("_probe.json", ""), category, figureGround };
    }),
  );
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isFinite);
}
