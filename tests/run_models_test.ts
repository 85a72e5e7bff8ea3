import { assertEquals, assertRejects } from "@std/assert";
import { openRunModels } from "../src/experiments/run_models.ts";
import { embeddedModels } from "../src/experiments/embedded_world.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";

/** A copy of an embedded model with another preprocessing. */
async function copyOf(dir: string, name: string, changes: Record<string, unknown>): Promise<string> {
  const [model] = embeddedModels(), path = `${dir}/${name}.onnx`;
  await Deno.copyFile(model, path);
  const config = JSON.parse(await Deno.readTextFile(model.replace(/\.onnx$/, ".preprocessor.json")));
  await Deno.writeTextFile(`${dir}/${name}.preprocessor.json`, JSON.stringify({ ...config, ...changes }));
  return path;
}

Deno.test("openRunModels() gives all models the first one's view, and as many patches", () =>
  inTemporaryFolder(async (dir) => {
    const size = (side: number) => ({
      size: { shortest_edge: side },
      crop_size: { height: side, width: side },
    });
    const a = await copyOf(dir, "a", size(112)), b = await copyOf(dir, "b", { ...size(144), resample: 2 });
    const { models, view } = await openRunModels([a, b]);
    assertEquals([view.resize, view.crop, view.rescale, view.normalize], [
      ...[{ shortestEdge: 112 }, { width: 112, height: 112 }, null, null],
    ]);
    assertEquals(models.map(({ preprocessor: { resize, crop } }) => [resize, crop]), [
      [null, null], // sees the view as it is
      [null, null], // 144 pixels would be 18 patches of 8, not 14
    ]);
    assertEquals(models[1].preprocessor.filter, "bilinear");
    const [, small] = (await openRunModels([b, a])).models;
    assertEquals(small.preprocessor.resize, null); // 18 patches of 8: the view's own 144 pixels
    const [alone] = (await openRunModels([b])).models;
    assertEquals([alone.preprocessor.resize, alone.preprocessor.crop], [null, null]);
  }));

Deno.test("openRunModels() takes registers from the record of a model that was added", () =>
  inTemporaryFolder(async (dir) => {
    const path = await copyOf(dir, "a", {});
    const record = { name: "a", source: "a", commit: null, license: "none", registers: 4, files: {} };
    await Deno.writeTextFile(`${dir}/a.model.json`, JSON.stringify(record));
    assertEquals((await openRunModels([path])).models[0].registers, 4);
    await assertRejects(
      () => openRunModels([path, `${dir}/none.onnx`]),
      Error,
      `There is no preprocessor file ${dir}/none.preprocessor.json`,
    );
  }));
