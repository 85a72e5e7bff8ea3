/** Good files of every format, and what belongs beside them. */
import { Table, tableToIPC, vectorFromArray } from "apache-arrow";
import sharp from "sharp";
import { renderScene } from "../../fixtures/scenes/mod.ts";
import { saveAlign } from "../../src/data/fits/align_file.ts";
import { createFeatures } from "../../src/data/features/feature_store.ts";
import { encodeNpyHeader, writeNpy } from "../../src/data/formats/npy.ts";
import { saveNystrom } from "../../src/data/fits/nystrom_file.ts";
import { encodePalettePng } from "../../src/data/images/palette_png.ts";
import { encodePickledMapping } from "../../src/data/formats/pickled_mapping.ts";
import { VOC_CLASSES } from "../../src/data/datasets/voc.ts";
import { writeImagenetSegmentation } from "../../src/data/datasets/write_imagenet_segmentation.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import tables from "../golden/tables.json" with { type: "json" };
import { nsdFile, nsdPaths } from "../support/nsd_files.ts";

/** Bytes by format. */
export type Samples = Record<string, Uint8Array<ArrayBuffer>>;

const EXPORTS = new URL("../golden/onnx_exports/", import.meta.url);

/** One of the files that pandas, polars and others have written. */
function golden(name: keyof typeof tables.files): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(tables.files[name].base64);
}

const nsd = (path: string) => nsdFile(`nsddata_betas/ppdata/subj03/${path}`);

/** A good file of every format. */
export async function writeSamples(folder: string): Promise<Samples> {
  await Deno.mkdir(folder, { recursive: true });
  const { width, height, rgb, categoryMask } = renderScene(3), text = new TextEncoder();
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } }), random = seededRandom(1);
  const matrix = (rows: number, cols: number) => ({
    data: fillRandom(new Float32Array(rows * cols), random),
    rows,
    cols,
  });
  const read = (name: string) => Deno.readFile(`${folder}/${name}`);
  await writeNpy(`${folder}/a.npy`, matrix(9, 7).data, [9, 7]);
  const image = { width: 24, height: 16, data: new Uint8Array(24 * 16 * 3).fill(70) };
  const mask = { width: 24, height: 16, data: Uint8Array.from({ length: 384 }, (_, i) => i % 2) };
  await writeImagenetSegmentation(`${folder}/a.mat`, [0, 1].map((i) => ({ id: `n${i}`, image, mask })));
  const features = await createFeatures(`${folder}/f.arrow`, 3, 6, "float16", { model: "m" });
  const rows = { image: Int32Array.of(0, 0, 1), token: Int16Array.of(0, 1, 0), vectors: matrix(3, 6).data };
  await features.write(rows);
  await features.write(rows);
  await features.finish();
  const slots = [{ name: "a L1", width: 4 }, { name: "a L2", width: 4 }];
  await saveAlign(`${folder}/align.arrow`, {
    model: { slots, transforms: matrix(8, 5), beta: matrix(5, 3), epsilon: new Float32Array(3) },
    options: { seed: 0 },
    history: [],
  });
  await saveNystrom(`${folder}/fit.arrow`, {
    landmarks: { indices: Uint32Array.of(1, 4, 7, 9), features: matrix(4, 6) },
    cut: {
      eigenvectors: matrix(4, 2),
      eigenvalues: Float64Array.of(1, 0.5),
      residuals: Float64Array.of(0, 1e-6),
      eigengap: 0.1,
      converged: true,
      resolved: 2,
      degrees: new Float32Array(4).fill(2),
    },
    neighbors: 3,
    ivf: null,
    projection: null,
    sampling: "farthest",
    seed: 0,
  });
  const table = new Table({
    name: vectorFromArray(["a", "b", "c"]),
    x: vectorFromArray([1.5, 2, 3]),
    y: vectorFromArray([0.5, 0, 9]),
  });
  const preprocessor = await Deno.readFile(
    new URL("../../fixtures/models/mae_tiny.preprocessor.json", import.meta.url),
  );
  const record = {
    name: "a",
    source: "a/b",
    commit: null,
    license: "MIT",
    registers: 4,
    files: { "a.onnx": "0".repeat(64) },
  };
  const results = {
    schema: 1,
    version: "1",
    deno: "2",
    adapter: { description: "x", software: true },
    seed: 0,
    command: "c",
    inputs: { models: ["a"], images: 1, nodes: 1, data: "embedded" },
    timings: { a: 1 },
    memory: { peak_rss_mb: 1, peak_gpu_mb: 1 },
    experiments: {},
  };
  return {
    jpeg: new Uint8Array(await picture.clone().jpeg().toBuffer()),
    "cmyk jpeg": new Uint8Array(await picture.clone().toColourspace("cmyk").jpeg().toBuffer()),
    png: new Uint8Array(await picture.clone().png().toBuffer()),
    webp: new Uint8Array(await picture.clone().webp({ lossless: true }).toBuffer()),
    gif: new Uint8Array(await picture.clone().gif().toBuffer()),
    tiff: new Uint8Array(await picture.clone().tiff({ compression: "lzw" }).toBuffer()),
    "palette png": encodePalettePng({ width, height, data: categoryMask }) as Uint8Array<ArrayBuffer>,
    onnx: await Deno.readFile(new URL("../golden/onnx/sdpa_ts14.onnx", import.meta.url)),
    npy: await read("a.npy"),
    "pickled npy": encodePickledMapping(new Map([[0, "Unknown"], [1, "OFA"], [2, "FFA-1"]])) as Uint8Array<
      ArrayBuffer
    >,
    mat: await read("a.mat"),
    "nifti gz": nsd("func1pt8mm/betas_nifti/betas_session01.nii.gz"),
    nifti: nsd("func1pt8mm/betas_nifti/betas_session02.nii"),
    mgz: nsd("fsaverage/betas_mgh/lh.betas_session02.mgz"),
    "matlab 5": nsdFile("nsddata/experiments/nsd/nsd_expdesign.mat"),
    "betas hdf5": nsd("func1pt8mm/betas_hdf5/betas_session01.hdf5"),
    "betas by trial hdf5": nsd("func1pt8mm/betas_bytrial/betas_session01.hdf5"),
    "betas nifti": nsd("func1pt8mm/betas_nifti/betas_session01.nii.gz"),
    "nsd csv": nsdFile("nsddata/experiments/nsd/nsd_stim_info_merged.csv"),
    "nsd ctab": nsdFile("nsddata/freesurfer/subj03/label/floc-faces.mgz.ctab"),
    "nsd images": nsdFile("nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"),
    features: await read("f.arrow"),
    align: await read("align.arrow"),
    fit: await read("fit.arrow"),
    "embedding arrow": tableToIPC(table, "file") as Uint8Array<ArrayBuffer>,
    "embedding arrow views": golden("polars.arrow"),
    "embedding arrow lz4": golden("polars_lz4.arrow"),
    "embedding arrow stream": golden("dictionary_delta.arrow"),
    "embedding arrow runs": golden("run_end.arrow"),
    "embedding parquet": golden("list.parquet"),
    npz: golden("named.npz"),
    safetensors: golden("bfloat16.safetensors"),
    "embedding npy": await read("a.npy"),
    csv: text.encode('name,x,y\na,1,2\n"b, c",3,4\nd,5,6e-3\n'),
    "preprocessor json": preprocessor,
    "processor json": text.encode(JSON.stringify({
      processor_class: "CLIPProcessor",
      image_processor: { image_processor_type: "CLIPImageProcessor", size: 48, crop_size: 48, do_pad: false },
    })),
    "record json": text.encode(JSON.stringify(record)),
    "results json": text.encode(JSON.stringify(results, null, 2)),
    "voc txt": text.encode("one\ntwo\n"),
    "class names": text.encode(VOC_CLASSES.join("\n") + "\n"),
    labels: text.encode(JSON.stringify({ rois: ["EVC", "FFA"], categories: ["boat", "book", "bottle"] })),
    weights: await Deno.readFile(new URL("external_weights_clip.onnx_data", EXPORTS)),
  };
}

/** What belongs beside a file of a format, by paths in the same folder as the reader's. */
export async function neighborsOf(format: string, samples: Samples): Promise<Samples> {
  const voc = (folder: string): Samples =>
    Object.fromEntries(["one", "two"].flatMap((name) => [
      [`${folder}/JPEGImages/${name}.jpg`, samples.jpeg],
      [`${folder}/SegmentationClass/${name}.png`, samples["palette png"]],
    ]));
  const counted = (rows: number, ...cols: number[]) => {
    const header = encodeNpyHeader("<f4", [rows, ...cols]), count = [rows, ...cols].reduce((a, b) => a * b);
    const values = Float32Array.from({ length: count }, (_, i) => cols.length > 0 ? i : 1);
    return Uint8Array.from([...header, ...new Uint8Array(values.buffer)]);
  };
  if (format === "voc txt") return voc("voc");
  if (format === "class names") {
    return { ...voc("named"), "named/ImageSets/Segmentation/trainval.txt": samples["voc txt"] };
  }
  if (format === "labels") {
    return {
      "object2vec/betas.npy": counted(3, 4),
      "object2vec/roi_index.npy": counted(4),
      "object2vec/alexnet.npy": counted(3, 2),
      "object2vec/word2vec.npy": counted(3, 5),
    };
  }
  if (format.startsWith("nsd ")) {
    const paths = nsdPaths().filter((path) => /^nsddata_stimuli|^nsddata\/|\/betas_nifti\//.test(path));
    return Object.fromEntries(paths.map((path) => [`nsd/${path}`, nsdFile(path)]));
  }
  if (format !== "weights") return {};
  const model = "external_weights_clip.onnx";
  return { [`weighted/${model}`]: await Deno.readFile(new URL(model, EXPORTS)) };
}
