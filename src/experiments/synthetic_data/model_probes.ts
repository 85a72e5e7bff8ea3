/** What linear probes read out of each layer of the built-in models, as training left it in `*_probe.json`. */
import * as v from "valibot";
import { reasonOf } from "../../data/files/atomic_write.ts";
import { listOf, NUMBER, objectOf, parseJson } from "../../data/files/checked_json.ts";
import { readPlainText } from "../../data/files/plain_file.ts";

const SCORES = v.pipe(listOf(NUMBER, "a list of numbers"), v.minLength(1, "at least one layer"));
const PROBE = v.pipe(
  objectOf(
    { category_accuracy: SCORES, figure_ground_balanced_accuracy: SCORES },
    "category_accuracy and figure_ground_balanced_accuracy",
  ),
  v.check(
    ({ category_accuracy: one, figure_ground_balanced_accuracy: other }) => one.length === other.length,
    "both lists of one length",
  ),
);

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
      try {
        const probe = parseJson(await readPlainText(`${dir}/${name}`), PROBE);
        const { category_accuracy: category, figure_ground_balanced_accuracy: figureGround } = probe;
        return { model: name.replace("_probe.json", ""), category, figureGround };
      } catch (error) {
        throw new Error(`${dir}/${name} is not a probe (${reasonOf(error)}): write it again.`, {
          cause: error,
        });
      }
    }),
  );
}
