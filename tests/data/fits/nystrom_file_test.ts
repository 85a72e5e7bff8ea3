import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../../../mod.ts";
import { loadNystrom, saveNystrom } from "../../../src/data/fits/nystrom_file.ts";
import { createFeatures } from "../../../src/data/features/feature_store.ts";
import { matrixSource } from "../../../src/graph/node_source.ts";
import { fitNystrom } from "../../../src/graph/nystrom.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix } from "../../support/random.ts";

Deno.test("loadNystrom() gives back what saveNystrom() wrote, in every bit", async () => {
  const gpu = await openGpu();
  await inTemporaryFolder(async (root) => {
    for (const [m, d, c] of [[1, 1, 1], [113, 7, 5]]) {
      const source = matrixSource(randomMatrix(300, d));
      const fit = await fitNystrom(gpu, source, {
        landmarks: m,
        components: c,
        sampling: "uniform",
        seed: 3,
      });
      await saveNystrom(`${root}/model.arrow`, fit);
      const loaded = await loadNystrom(gpu, `${root}/model.arrow`);
      for (const key of ["landmarks", "cut", "neighbors", "ivf", "sampling", "seed"] as const) {
        assertEquals(loaded[key], fit[key], key);
      }
      assertEquals(await loaded.transform(source), await fit.transform(source));
    }
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), ["model.arrow"]);
  });
  closeGpu(gpu);
});

Deno.test("loadNystrom() names a file that is cut short, something else, or absent", async () => {
  const gpu = await openGpu();
  await inTemporaryFolder(async (root) => {
    const fit = await fitNystrom(gpu, matrixSource(randomMatrix(50, 3)), { landmarks: 20, components: 2 });
    const path = `${root}/model.arrow`;
    await saveNystrom(path, fit);
    const whole = await Deno.readFile(path);
    for (const length of [0, 5, 100, whole.length >> 1, whole.length - 1]) {
      await Deno.writeFile(path, whole.subarray(0, length));
      await assertRejects(() => loadNystrom(gpu, path), Error, `Cannot read the model ${path}: it is`);
    }
    const features = await createFeatures(path, 1, 3, "float32", {});
    await features.write({
      image: new Int32Array(2),
      token: new Int16Array(2),
      vectors: new Float32Array(6),
    });
    await features.finish();
    await assertRejects(() => loadNystrom(gpu, path), Error, 'its format is "unknown"');
    await assertRejects(() => loadNystrom(gpu, `${root}/absent.arrow`), Error, "absent.arrow: No such file");
  });
  closeGpu(gpu);
});
