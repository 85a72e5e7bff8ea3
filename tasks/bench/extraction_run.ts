/** A run of `extractFeatures` on images of the embedded world, with the time inside onnxruntime. */
import * as ort from "onnxruntime-node";
import { extractFeatures } from "../../src/data/extract.ts";
import { openAlgonauts } from "../../src/data/algonauts.ts";
import { readImage } from "../../src/data/image.ts";
import { readPreprocessor } from "../../src/data/preprocess.ts";
import { embeddedModels, embeddedWorld, SCENES, subjectOf } from "../../src/experiments/embedded_world.ts";
import type { OpenWork } from "./work.ts";

/** Seconds inside onnxruntime since the last call. */
function watchOnnxruntime(): () => number {
  let seconds = 0;
  const timed = <F extends (...args: never[]) => Promise<unknown>>(inner: F): F =>
    (async function (this: unknown, ...args: Parameters<F>) {
      const started = performance.now();
      try {
        return await inner.apply(this, args);
      } finally {
        seconds += (performance.now() - started) / 1000;
      }
    }) as F;
  const session = ort.InferenceSession as unknown as {
    create: (...args: never[]) => Promise<unknown>;
    prototype: { run: (...args: never[]) => Promise<unknown> };
  };
  session.create = timed(session.create.bind(session));
  session.prototype.run = timed(session.prototype.run);
  return () => {
    const spent = seconds;
    seconds = 0;
    return spent;
  };
}

/**
 * Opens the extraction of one model.
 *
 * @param folder emptied before every run
 * @param images of the world's training images, the first
 */
export async function openExtraction(folder: string, images: number): Promise<OpenWork> {
  const world = await embeddedWorld(SCENES), [model] = embeddedModels();
  const preprocessor = await readPreprocessor(model.replace(/\.onnx$/, ".preprocessor.json"));
  const paths = (await openAlgonauts(subjectOf(world))).images.slice(0, images);
  const inside = watchOnnxruntime();
  return {
    async run() {
      await Deno.remove(folder, { recursive: true });
      inside();
      const started = performance.now();
      await extractFeatures({
        ...{ model, preprocessor, outDir: folder, dtype: "float32" },
        images: paths.map((path) => ({ name: path.replace(/^.*\//, ""), load: () => readImage(path) })),
      });
      return { "share of onnxruntime": inside() / ((performance.now() - started) / 1000) };
    },
  };
}
