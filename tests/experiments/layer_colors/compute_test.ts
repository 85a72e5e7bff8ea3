import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../../mod.ts";
import { extractFeatures } from "../../../src/data/features/extract.ts";
import { openStages } from "../../../src/data/cache/stages.ts";
import { photographLayers } from "../../../src/experiments/layer_colors/compute.ts";
import type { SolveSettings } from "../../../src/experiments/shared/solved_layers.ts";
import { sceneImages } from "../../../src/synthetic/scene_images.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { readPreprocessor } from "../../../src/data/images/preprocessor.ts";

const MODEL = new URL("../../../fixtures/models/mae_tiny.onnx", import.meta.url).pathname;

Deno.test("photographLayers() reads a finished layer again, but not for other masks, or none", () =>
  inTemporaryFolder(async (cacheDir) => {
    const gpu = await openGpu();
    const preprocessor = await readPreprocessor(MODEL.replace(".onnx", ".preprocessor.json"));
    const features = { outDir: `${cacheDir}/features`, dtype: "float32" as const };
    const whole = await extractFeatures({
      model: MODEL,
      preprocessor,
      images: sceneImages(2, 0),
      ...features,
    });
    const manifest = { ...whole, layers: whole.layers.slice(8, 9) };
    const run = async (figure?: (node: number) => boolean, further: Partial<SolveSettings> = {}) => {
      const counts = new Uint32Array(2 * 2 * whole.tokens);
      for (let node = 0; figure && node < counts.length / 2; node++) {
        counts[2 * node + Number(figure(node))] = 9;
      }
      const labels = figure && { counts, classes: 2 };
      const settings = { components: 10, sample: 60, seed: 0, stages: openStages(cacheDir) };
      return (await photographLayers(gpu, manifest, labels, { ...settings, ...further }))[0];
    };
    const first = await run((node) => node % 3 === 0);
    assertEquals(await run((node) => node % 3 === 0), first, "with the seconds that it once took");
    const other = await run((node) => node % whole.tokens > 50), none = await run();
    assertNotEquals(other.figureGround, first.figureGround);
    assertEquals([other.colors, none.colors, none.figureGround], [first.colors, first.colors, undefined]);

    const { eigenvalues, error } = await run(undefined, {
      approximation: { landmarks: 2 * whole.tokens, neighbors: "all", sampling: "uniform", knn: "exact" },
      checkError: (features, { data, rows, cols }) =>
        Promise.resolve(`${features.rows} ${rows} ${cols} ${data.length}`),
    });
    assertEquals(error, `${2 * whole.tokens} ${2 * whole.tokens} 10 ${2 * whole.tokens * 10}`);
    eigenvalues.forEach((value, i) => assertAlmostEquals(value, none.eigenvalues[i], 1e-4));
    closeGpu(gpu);
  }));
