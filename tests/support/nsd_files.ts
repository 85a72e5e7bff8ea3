/** The Natural Scenes Dataset in small, as `tests/golden/nsd.py` writes it. */
import * as hdf5 from "h5wasm";
import { inflateSync } from "node:zlib";
import { readyHdf5 } from "../../src/data/formats/hdf5.ts";
import golden from "../golden/nsd.json" with { type: "json" };
import sharp from "sharp";
import { openNsd } from "../../src/data/datasets/nsd.ts";

export { golden };

/** All paths. */
export function nsdPaths(): string[] {
  return Object.keys(golden.files);
}

/** One file. */
export function nsdFile(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(inflateSync(Uint8Array.fromBase64((golden.files as Record<string, string>)[path])));
}

/** Writes all files below a folder. */
export async function writeNsd(dir: string): Promise<void> {
  for (const path of nsdPaths()) {
    await Deno.mkdir(`${dir}/${path.replace(/\/[^/]*$/, "")}`, { recursive: true });
    await Deno.writeFile(`${dir}/${path}`, nsdFile(path));
  }
}

/** The folders of betas, all of one subject and the same but for how they are stored. */
export const BETAS = [
  "func1pt8mm/betas_hdf5",
  "func1pt8mm/betas_bytrial",
  "func1pt8mm/betas_nifti",
  "fsaverage/betas_mgh",
  "nativesurface/betas_hdf5",
].map((path) => `nsddata_betas/ppdata/subj03/${path}`);

/** An HDF5 file of one dataset. */
export async function hdf5Of(
  dataset: Record<string, Int16Array | Int32Array | Uint8Array>,
  shape: number[],
): Promise<Uint8Array<ArrayBuffer>> {
  await readyHdf5();
  const path = await Deno.makeTempFile({ suffix: ".h5" }), file = new hdf5.File(path, "w");
  for (const [name, data] of Object.entries(dataset)) file.create_dataset({ name, data, shape });
  file.close();
  const bytes = await Deno.readFile(path);
  await Deno.remove(path);
  return bytes;
}

/** Folders of betas, and where the files of the release are. */
export const [HDF5, , NIFTI, MGH, NATIVE] = BETAS, DESIGN = "nsddata/experiments/nsd/nsd_expdesign.mat";
export const INFO = "nsddata/experiments/nsd/nsd_stim_info_merged.csv",
  ROI = "nsddata/ppdata/subj03/func1pt8mm/roi";
export const LABELS = "nsddata/freesurfer/subj03/label",
  STIMULI = "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5";

/** Pixels of imgBrick, of which the golden file has some. */
export const SIZE = { width: 4, height: 5 };

export async function writeImages(dir: string): Promise<void> {
  const { training, test, close } = await openNsd(`${dir}/${HDF5}`);
  for (const [split, { images, readImage }] of [["training", training], ["test", test!]] as const) {
    const folder = `${dir}/algonauts/${split}_split/${split}_images`;
    await Deno.mkdir(folder, { recursive: true });
    for (const [row, name] of images.entries()) {
      const { data, width, height } = await readImage(row);
      await sharp(data, { raw: { width, height, channels: 3 } }).png().toFile(`${folder}/${name}.png`);
    }
  }
  close();
}
