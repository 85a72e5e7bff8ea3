import { openRunData } from "./tasks/open_data.ts";
import { openRunModels } from "./src/experiments/run_models.ts";
import { streamFeatures } from "./src/data/extract.ts";
import { writeNpy } from "./src/data/npy.ts";
import { readImage } from "./src/data/image.ts";
import { previewCrop } from "./src/data/preprocess.ts";
const out = "/opt/ac/universal/v4";
const M = ["/opt/ac/models/dinov2.onnx", "clip_tiny", "dino_tiny", "mae_tiny", "/opt/ac/models/vit_cifar10_p4.onnx", "/opt/ac/models/vit_objects_p8_postnorm.onnx"];
const { models, view } = await openRunModels(M, true);
console.log(view, models.map((m) => m.path));
const E = "/work/shared/real/ecssd/images";
const names = [...Deno.readDirSync(E)].map((e) => e.name).sort().slice(0, 60);
const images = names.map((name) => ({ name, load: async () => previewCrop(await readImage(`${E}/${name}`), view, name) }));
for (const { path, preprocessor, registers } of models) {
  let buf = new Float32Array(0), w = 0, each = 0, L = 0;
  const m = await streamFeatures({ model: path, preprocessor, registers, images, outDir: "", dtype: "float32" }, {
    begin: (f) => { each = f.tokens; w = f.width; L = f.layers.length; buf = new Float32Array(L * images.length * each * w); },
    rows: (l, { image, vectors }) => { buf.set(vectors, (l * images.length + image[0]) * each * w); },
  });
  const name = path.split("/").at(-1)!.replace(".onnx", "");
  await writeNpy(`${out}/e_${name}.npy`, buf, [L, images.length, each, w]);
  console.log(name, L, each, w, m.grid);
}
const data = await openRunData({ folders: { algonauts: "/work/shared/real/v4_macaque/algonauts/201025" }, models: M.slice(0, 1) }, { limit: 100, quick: false, cache: ".cache", timings: {} });
const brain = await data.readBrain("/opt/ac/universal/cache", () => {}, { models });
const save = (n: string, m: any) => writeNpy(`${out}/${n}.npy`, m.data, [m.rows, m.cols]);
await save("train_p", brain.training.pooled); await save("train_y", brain.training.responses);
await save("test_p", brain.test.pooled); await save("test_y", brain.test.responses);
await Deno.writeTextFile(`${out}/meta.json`, JSON.stringify({ slots: brain.slots, names, view, rois: [...brain.rois.keys()] }));
console.log("done"); data.close();
