import { assert } from "@std/assert";
import { closeGpu, normalizedCut, openGpu } from "../../../mod.ts";
import { extractFeatures } from "../../../src/data/features/extract.ts";
import { openFeatures } from "../../../src/data/features/feature_shards.ts";
import { sceneImages } from "../../../src/synthetic/scene_images.ts";
import { columnBasis, principalAngles } from "../../../src/linalg/principal_angles.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { readPreprocessor } from "../../../src/data/images/preprocessor.ts";

/** Nearest float16: half a unit in the last of 11 bits. */
const HALF_UNIT = 2 ** -11;

Deno.test("float16 features differ by half a unit in the last place, and their eigenvectors by less than half a degree", () =>
  inTemporaryFolder(async (root) => {
    const gpu = await openGpu();
    for (const name of ["clip_tiny", "dino_tiny", "mae_tiny"]) {
      const model = new URL(`../../../fixtures/models/${name}.onnx`, import.meta.url).pathname;
      const preprocessor = await readPreprocessor(model.replace(".onnx", ".preprocessor.json"));
      const stores = [];
      for (const dtype of ["float32", "float16"] as const) {
        const images = sceneImages(6, 0);
        const { layers } = await extractFeatures({
          model,
          preprocessor,
          images,
          dtype,
          outDir: `${root}/${name}-${dtype}`,
        });
        stores.push(layers);
      }
      let worst = 0, widest = 0;
      for (const layer of [2, 5, 8, 11]) {
        const [full, half] = await Promise.all(stores.map(async (layers) => {
          const file = await openFeatures(layers[layer].path);
          const data = await file.readRows(0, file.rows);
          await file.close();
          return { data, rows: file.rows, cols: file.cols };
        }));
        const largest = full.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        full.data.forEach((value, at) => {
          if (Math.abs(value) > 1e-3 * largest) worst = Math.max(worst, Math.abs(half.data[at] / value - 1));
        });
        const [a, b] = await Promise.all(
          [full, half].map((x) => normalizedCut(gpu, x, { components: 10, tolerance: 1e-6 })),
        );
        const angles = principalAngles(columnBasis(a.eigenvectors), columnBasis(b.eigenvectors), 10);
        widest = Math.max(widest, angles[9] * 180 / Math.PI);
      }
      console.log(
        `${name}: float16 is off by ${worst.toExponential(1)} of a value, 10 eigenvectors by ${
          widest.toFixed(3)
        }°`,
      );
      assert(worst <= HALF_UNIT * 1.01, `${name}: ${worst}`);
      assert(widest < 0.5, `${name}: ${widest}°`);
    }
    closeGpu(gpu);
  }));
