/** The readers of files that anyone may have made, by format: each reads all of a file, and checks what it was given. */
import { loadAlign } from "../../src/data/align_file.ts";
import { findAttentionOutputs } from "../../src/data/attention_outputs.ts";
import { openFeatureFile } from "../../src/data/feature_store.ts";
import { openImagenetSegmentation } from "../../src/data/imagenet_segmentation.ts";
import { readImage, type RgbImage } from "../../src/data/image.ts";
import { readModelRecord } from "../../src/data/model_record.ts";
import { readBytes, readNpy } from "../../src/data/npy.ts";
import { readOnnx, withOutputs } from "../../src/data/onnx_graph.ts";
import { readPalettePng } from "../../src/data/palette_png.ts";
import { parsePickledMapping } from "../../src/data/pickled_mapping.ts";
import { readPreprocessor } from "../../src/data/preprocess.ts";
import { readEmbedding } from "../../src/data/read_embedding.ts";
import type { Mask } from "../../src/data/resize.ts";
import { openModel, readWeights } from "../../src/data/vision_model.ts";
import { openVoc } from "../../src/data/voc.ts";
import { readResults } from "../../src/report/results.ts";

/** Reads the file, to be named so, in a folder of its own. */
interface Reader {
  /** Under which name, in the folder. */
  file: string;
  read(path: string, folder: string): Promise<void>;
}

function holds(image: RgbImage | Mask, channels: number): void {
  const { width, height, data } = image;
  if (!(width >= 1 && height >= 1 && data.length === width * height * channels)) {
    throw new TypeError(`an image of ${width} × ${height} with ${data.length} bytes was returned`);
  }
}

/** The readers by format. */
export const READERS: Record<string, Reader> = {
  jpeg: { file: "a.jpg", read: async (path) => holds(await readImage(path), 3) },
  png: { file: "a.png", read: async (path) => holds(await readImage(path), 3) },
  "palette png": { file: "a.png", read: async (path) => holds(await readPalettePng(path), 1) },
  onnx: {
    file: "a.onnx",
    async read(path) {
      const graph = await readOnnx(path), weights = await readWeights(graph);
      const blocks = findAttentionOutputs(graph);
      const model = await openModel(
        graph,
        withOutputs(graph, blocks.map(({ tensor }) => tensor), blocks.flatMap(({ sum }) => sum ?? [])),
        weights,
      );
      await model.release();
    },
  },
  npy: {
    file: "a.npy",
    async read(path) {
      const { data, shape } = await readNpy(path);
      if (data.length !== shape.reduce((a, b) => a * b, 1)) throw new TypeError("data and shape differ");
    },
  },
  "pickled npy": {
    file: "mapping_floc-faces.npy",
    read: async (path) => void parsePickledMapping(await readBytes(path), path),
  },
  mat: {
    file: "gtsegs_ijcv.mat",
    async read(path) {
      const file = await openImagenetSegmentation(path);
      try {
        for (let i = 0; i < Math.min(file.count, 4); i++) {
          const { image, mask } = file.read(i);
          holds(image, 3);
          holds(mask, 1);
        }
      } finally {
        file.close();
      }
    },
  },
  features: {
    file: "a.arrow",
    async read(path) {
      const file = await openFeatureFile(path);
      try {
        const values = await file.readRows(0, file.rows);
        if (values.length !== file.rows * file.cols) throw new TypeError("values and rows differ");
      } finally {
        await file.close();
      }
    },
  },
  align: { file: "a.arrow", read: async (path) => void await loadAlign(path) },
  "embedding arrow": { file: "e.arrow", read: readWhole },
  "embedding npy": { file: "e.npy", read: readWhole },
  csv: { file: "e.csv", read: readWhole },
  "preprocessor json": {
    file: "a.preprocessor.json",
    read: async (path) => void await readPreprocessor(path),
  },
  "record json": {
    file: "a.model.json",
    read: async (path) => void await readModelRecord(path.replace(".model.json", ".onnx")),
  },
  "results json": { file: "results.json", read: async (path) => void await readResults(path) },
  "voc txt": {
    file: "voc/ImageSets/Segmentation/trainval.txt",
    async read(_path, folder) {
      const { names } = await openVoc(`${folder}/voc`);
      if (names.some((name) => /[/\\]|^\./.test(name))) throw new TypeError("a name leads out of the folder");
    },
  },
};

async function readWhole(path: string): Promise<void> {
  const { matrix: { data, rows, cols } } = await readEmbedding(path);
  if (data.length !== rows * cols) throw new TypeError("values and shape differ");
}
