/** A run of `extractFeatures` on images of the synthetic dataset, with the time inside onnxruntime. */
import { extractFeatures } from "../../src/data/features/extract.ts";
import { openAlgonauts } from "../../src/data/datasets/algonauts.ts";
import { readImage } from "../../src/data/images/image.ts";
import { embeddedModels, SCENES, subjectOf, syntheticDataset } from "../../src/synthetic/dataset.ts";
import type { OpenWork } from "./work.ts";
import { readPreprocessor } from "../../src/data/images/preprocessor.ts";

/**
 * Opens the extraction of one model.
 *
 * @param folder emptied before every run
 * @param images of the dataset's training images, the first
 */
export async function openExtraction(folder: string, images: number): Promise<OpenWork> {
  const dataset = await syntheticDataset(SCENES), [model] = embeddedModels();
  const preprocessor = await readPreprocessor(model.replace(/\.onnx$/, ".preprocessor.json"));
  const paths = (await openAlgonauts(subjectOf(dataset))).images.slice(0, images);
  return {
    async run() {
      await Deno.remove(folder, { recursive: true });
      const started = performance.now();
      let inside = 0;
      await extractFeatures({
        model,
        preprocessor,
        outDir: folder,
        dtype: "float32",
        onInference: (seconds) => inside = seconds,
        images: paths.map((path) => ({ name: path.replace(/^.*\//, ""), load: () => readImage(path) })),
      });
      return { "share of onnxruntime": inside / ((performance.now() - started) / 1000) };
    },
  };
}
