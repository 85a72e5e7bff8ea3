/** The readers of files that anyone may have made, by format: each reads all of a file, and checks what it was given. */
import { loadAlign } from "../../src/data/fits/align_file.ts";
import { findAttentionOutputs } from "../../src/data/onnx/attention_outputs.ts";
import { openFeatureFile } from "../../src/data/features/feature_store.ts";
import { openImagenetSegmentation } from "../../src/data/datasets/imagenet_segmentation.ts";
import { readImage } from "../../src/data/images/image.ts";
import { readMatlab } from "../../src/data/formats/matlab5.ts";
import { readModelRecord } from "../../src/data/models/model_record.ts";
import { readBytes, readNpy } from "../../src/data/formats/npy.ts";
import { openNsd } from "../../src/data/datasets/nsd.ts";
import { meanZScores, sessionShapes } from "../../src/data/datasets/nsd_betas.ts";
import { loadNystrom } from "../../src/data/fits/nystrom_file.ts";
import { readObject2vec } from "../../src/data/datasets/object2vec.ts";
import { readOnnx, withOutputs } from "../../src/data/onnx/graph.ts";
import { readPalettePng } from "../../src/data/images/palette_png.ts";
import { parsePickledMapping } from "../../src/data/formats/pickled_mapping.ts";
import { preprocess, previewCrop } from "../../src/data/images/preprocess.ts";
import { readEmbedding } from "../../src/data/formats/read_embedding.ts";
import { openModel, readWeights } from "../../src/data/models/vision_model.ts";
import { openVoc } from "../../src/data/datasets/voc.ts";
import { openVolume } from "../../src/data/formats/volume_file.ts";
import type { Gpu } from "../../src/gpu/mod.ts";
import { readResults } from "../../src/report/results.ts";
import type { Mask, RgbImage } from "../../src/data/images/picture.ts";
import { type Preprocessor, readPreprocessor } from "../../src/data/images/preprocessor.ts";

const PREVIEW: Preprocessor = {
  resize: { shortestEdge: 64 },
  filter: "bicubic",
  crop: null,
  rescale: null,
  normalize: null,
};

/** Reads the file, to be named so, in a folder of its own. */
interface Reader {
  /** Under which name, in the folder. */
  file: string;
  /** What errors have to name; the file's name, when not given. */
  named?: string;
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
  jpeg: { file: "a.jpg", read: readPhotograph },
  "cmyk jpeg": { file: "a.jpg", read: readPhotograph },
  png: { file: "a.png", read: readPhotograph },
  webp: { file: "a.webp", read: readPhotograph },
  gif: { file: "a.gif", read: readPhotograph },
  tiff: { file: "a.tiff", read: readPhotograph },
  "palette png": { file: "a.png", read: async (path) => holds(await readPalettePng(path), 1) },
  onnx: { file: "a.onnx", read: readModel },
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
  "nifti gz": { file: "a.nii.gz", read: readFrames },
  nifti: { file: "a.nii", read: readFrames },
  mgz: { file: "a.mgz", read: readFrames },
  "matlab 5": {
    file: "nsd_expdesign.mat",
    async read(path) {
      for (const { shape, data } of await readMatlab(path, ["masterordering", "subjectim", "sharedix"])) {
        if (data.length !== shape.reduce((a, b) => a * b, 1)) throw new TypeError("data and shape differ");
      }
    },
  },
  "betas hdf5": { file: "betas_session01.hdf5", read: readBetas },
  "betas by trial hdf5": { file: "betas_session01.hdf5", read: readBetas },
  "betas nifti": { file: "betas_session01.nii.gz", read: readBetas },
  "nsd csv": {
    file: "nsd/nsddata/experiments/nsd/nsd_stim_info_merged.csv",
    async read(_path, folder) {
      const { training, test, close } = await openNsd(`${folder}/nsd`);
      close();
      if (training.images.length + test!.images.length !== 13) throw new TypeError("images are missing");
    },
  },
  "nsd ctab": {
    file: "nsd/nsddata/freesurfer/subj03/label/floc-faces.mgz.ctab",
    async read(_path, folder) {
      const { training, close } = await openNsd(`${folder}/nsd`);
      close();
      if (training.voxels.total !== 47) throw new TypeError("voxels are missing");
    },
  },
  "nsd images": {
    file: "nsd/nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5",
    async read(_path, folder) {
      const { training, close } = await openNsd(`${folder}/nsd`);
      try {
        holds(await training.readImage(0), 3);
      } finally {
        close();
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
  fit: {
    file: "fit.arrow",
    async read(path) {
      const { landmarks: { indices, features }, cut } = await loadNystrom({} as Gpu, path);
      if (features.rows !== indices.length || cut.eigenvectors.rows !== indices.length) {
        throw new TypeError("landmarks and vectors differ");
      }
    },
  },
  "embedding arrow": { file: "e.arrow", read: readWhole },
  "embedding arrow views": { file: "e.arrow", read: readWhole },
  "embedding arrow lz4": { file: "e.arrow", read: readWhole },
  "embedding arrow stream": { file: "e.arrow", read: readWhole },
  "embedding arrow runs": { file: "e.arrow", read: readWhole },
  "embedding parquet": { file: "e.parquet", read: readWhole },
  npz: { file: "e.npz", read: readWhole },
  safetensors: { file: "e.safetensors", read: readWhole },
  "embedding npy": { file: "e.npy", read: readWhole },
  csv: { file: "e.csv", read: readWhole },
  "preprocessor json": { file: "a.preprocessor.json", named: "a.preprocessor", read: readSteps },
  "processor json": { file: "processor_config.json", named: "processor_config", read: readSteps },
  "record json": {
    file: "a.model.json",
    named: "a.model",
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
  "class names": {
    file: "named/class_names.txt",
    async read(_path, folder) {
      const { image, mask } = await (await openVoc(`${folder}/named`)).read(0);
      holds(image, 3);
      holds(mask, 1);
    },
  },
  labels: {
    file: "object2vec/labels.json",
    named: "object2vec",
    async read(_path, folder) {
      const { categories, betas } = await readObject2vec(`${folder}/object2vec`);
      if (categories.length !== betas.rows) throw new TypeError("categories and rows differ");
    },
  },
  weights: {
    file: "weighted/external_weights_clip.onnx_data",
    named: "external_weights_clip.onnx",
    read: (path) => readModel(path.replace("_data", "")),
  },
};

const TINY: RgbImage = { width: 8, height: 6, data: new Uint8Array(144).fill(90) };

async function readSteps(path: string): Promise<void> {
  const { data } = preprocess(TINY, await readPreprocessor(path), path);
  if (!data.every(Number.isFinite)) throw new TypeError("pixels are not finite");
}

async function readPhotograph(path: string): Promise<void> {
  const image = await readImage(path);
  holds(image, 3);
  holds(previewCrop(image, PREVIEW, path), 3);
}

async function readFrames(path: string): Promise<void> {
  using file = await openVolume(path);
  for (let frame = 0; frame < file.frames; frame++) {
    if ((await file.next()).length !== file.size[0] * file.size[1] * file.size[2]) {
      throw new TypeError("values and size differ");
    }
  }
  await file.finish();
}

/** The betas of five voxels, as of a session of six trials. */
async function readBetas(path: string): Promise<void> {
  const [{ trials, size }] = await sessionShapes([[path]]);
  if (trials !== 6 || size.reduce((a, b) => a * b, 1) !== 60) {
    throw new Error(`${path} has other trials, or other voxels.`);
  }
  const parts = [{ path, voxels: Uint32Array.of(7, 0, 59, 20, 21) }],
    rowOfTrial = Int32Array.of(0, 1, 2, 0, 1, 2);
  const { means, reasons } = await meanZScores([{ parts, rowOfTrial }], 3);
  if (means.some((value, i) => reasons[i % 5] === 0 && !Number.isFinite(value))) {
    throw new TypeError("a mean is not finite");
  }
}

async function readWhole(path: string): Promise<void> {
  const { matrix: { data, rows, cols } } = await readEmbedding(path);
  if (data.length !== rows * cols) throw new TypeError("values and shape differ");
  if (!data.every(Number.isFinite)) throw new TypeError("a value is not finite");
}

async function readModel(path: string): Promise<void> {
  const graph = await readOnnx(path), weights = await readWeights(graph);
  const blocks = findAttentionOutputs(graph);
  await using _model = await openModel(
    graph,
    withOutputs(graph, blocks.map(({ tensor }) => tensor), blocks.flatMap(({ added }) => added ?? [])),
    weights,
  );
}
