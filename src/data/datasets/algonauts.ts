/** The layout of the Algonauts 2023 challenge: one folder a subject, with images, fMRI responses and ROI masks. */
import { hashesByName } from "../files/file_hashes.ts";
import { listImages, readImage } from "../images/image.ts";
import { otherOrder } from "./image_order.ts";
import { type LeftOutReasons, VoxelScan } from "./left_out_voxels.ts";
import { float32Of, readNpyHeader } from "../formats/npy.ts";
import { readNpz } from "../formats/npz.ts";
import { findArray } from "../formats/number_array.ts";
import { isFolder } from "../files/plain_file.ts";
import { report } from "../files/skipped.ts";
import { HEMISPHERES, ofHemispheres, type Subject, type SubjectSplits, usedVoxels } from "./subject.ts";
import {
  type AlgonautsSplit,
  ceilingPath,
  imageFolder,
  mappingPath,
  maskPath,
  placesPath,
  responsesFolder,
  responsesPath,
} from "./algonauts_paths.ts";
import {
  readNoiseCeiling,
  readPlaces,
  readRois,
  readSurfaceVertices,
  roiClasses,
} from "./algonauts_regions.ts";
import { assertRowsThere, readNpyRows } from "../formats/npy_rows.ts";

/**
 * Opens one subject's folder of the Algonauts 2023 release.
 *
 * Responses may be of any type of numbers and any order, and .npz in the place of .npy. Both splits are read once to find
 * voxels of no use, which are the same in both: left out of everything, and reported in `skipped`.
 *
 * @param dir the subject's folder, with `training_split` and `roi_masks`
 * @param split whose images and responses; default `training`
 * @throws Error "There is no file …"; "The folder …/training_images has 9 images, lh_training_fmri.npy 10 rows: …"; "…
 *   labels vertex 3 with 9, which mapping_….npy does not name."; "… has no finite response to image 7 (…): …"
 */
export async function openAlgonauts(dir: string, split: AlgonautsSplit = "training"): Promise<Subject> {
  const imagesDir = imageFolder(dir, split);
  const images = await listImages(imagesDir);
  const files = await openBoth(dir, split);
  for (const { path, rows } of files) {
    if (rows === images.length) continue;
    throw new Error(
      `The folder ${imagesDir} has ${images.length} images, ${path} ${rows} rows: they must be equal, so copy both again.`,
    );
  }
  const [lh, rh] = files.map(({ cols }) => cols), inFiles = { lh, rh };
  const classes = await roiClasses(dir);
  const all = await readRois(dir, classes, inFiles), { notes } = all;
  const order = otherOrder(images, "rows of responses");
  if (order) notes.push(order);
  const ceilings = await readNoiseCeiling(dir, inFiles, notes),
    allPlaces = await readPlaces(dir, inFiles, notes),
    surface = await readSurfaceVertices(dir, inFiles, notes);
  const other = split === "training" ? "test" : "training";
  const reasons = await scanned(
    [files, await openOther(dir, other, files)].filter((some) => some.length > 0),
  );
  const { used, ...known } = usedVoxels(dir, { lh, reasons, rois: all.rois, ceilings }, notes);
  let places = allPlaces &&
    Float32Array.from({ length: 2 * used.length }, (_, i) => allPlaces[2 * used[i >> 1] + i % 2]);
  if (places?.some((place) => !Number.isFinite(place))) {
    notes.push("voxel_places.npy is not used: it holds places that are not finite");
    report(notes.at(-1)!);
    places = undefined;
  }
  const { total } = known.voxels;
  const truth = await Promise.all([
    ...classes.map((roiClass) => mappingPath(dir, roiClass)),
    ...HEMISPHERES.flatMap((hemisphere) => [
      findArray(responsesPath(dir, hemisphere, split)),
      ...classes.map((roiClass) => findArray(maskPath(dir, hemisphere, roiClass))),
      ...(ceilings ? [findArray(ceilingPath(dir, hemisphere))] : []),
      ...(allPlaces ? [findArray(placesPath(dir, hemisphere))] : []),
      ...(surface ? [findArray(surface.pathOf(hemisphere))] : []),
    ]),
  ]);
  return {
    images,
    vertices: used.map((voxel) => voxel < lh ? voxel : voxel - lh),
    ...known,
    places,
    surfaceVertices: surface && used.map((voxel) => surface.vertices[voxel]),
    notes,
    readImage: (row) => readImage(images[row]),
    hashImages: () => hashesByName(images),
    hashLabels: () => hashesByName(truth),
    async readResponses(first, count) {
      const data = new Float32Array(count * total);
      for (const [i, { cols, read }] of files.entries()) {
        const part = await read(first, count),
          [from, to] = i === 0 ? [0, known.voxels.lh] : [known.voxels.lh, total];
        const start = i === 0 ? 0 : lh;
        for (let row = 0; row < count; row++) {
          for (let voxel = from; voxel < to; voxel++) {
            data[row * total + voxel] = part[row * cols + used[voxel] - start];
          }
        }
      }
      return { data, rows: count, cols: total };
    },
  };
}

/** Opens both splits, `test` where its responses are there; as `openAlgonauts`. */
export async function openAlgonautsSplits(dir: string): Promise<SubjectSplits> {
  const training = await openAlgonauts(dir);
  return await hasResponses(dir, "test")
    ? { training, test: await openAlgonauts(dir, "test") }
    : { training };
}

/** The responses of one hemisphere and split. */
interface ResponseFile {
  path: string;
  rows: number;
  cols: number;
  /** Whether the rows lie one behind the other, so that some can be read without the others. */
  isByRows: boolean;
  /** count × cols, as float32. */
  read(first: number, count: number): Promise<Float32Array>;
}

async function openResponses(wanted: string): Promise<ResponseFile> {
  const path = await findArray(wanted);
  const assertMatrix = ({ shape }: { shape: number[] }) => {
    if (shape.length === 2 && shape[1] > 0) return;
    throw new Error(`${path} has shape (${shape.join(", ")}), expected images × vertices.`);
  };
  if (!path.endsWith(".npz")) {
    const header = await readNpyHeader(path), [rows, cols] = header.shape;
    assertMatrix(header);
    return {
      path,
      rows,
      cols,
      isByRows: !header.fortranOrder,
      read: (first, count) => readNpyRows(path, header, first, count),
    };
  }
  const array = await readNpz(path), [rows, cols] = array.shape;
  assertMatrix(array);
  const values = float32Of(array.data);
  return {
    path,
    rows,
    cols,
    isByRows: true,
    read: (first, count) => {
      assertRowsThere(path, rows, first, count);
      return Promise.resolve(values.subarray(first * cols, (first + count) * cols));
    },
  };
}

function openBoth(dir: string, split: AlgonautsSplit): Promise<ResponseFile[]> {
  return ofHemispheres((hemisphere) => openResponses(responsesPath(dir, hemisphere, split)));
}

/** Whether a split's responses are there; those of the public release's test split are not. */
function hasResponses(dir: string, split: AlgonautsSplit): Promise<boolean> {
  return isFolder(responsesFolder(dir, split));
}

/** The responses of the other split, where it has any. */
async function openOther(dir: string, split: AlgonautsSplit, own: ResponseFile[]): Promise<ResponseFile[]> {
  if (!await hasResponses(dir, split)) return [];
  const files = await openBoth(dir, split);
  for (const [i, { path, cols }] of files.entries()) {
    if (cols === own[i].cols) continue;
    throw new Error(`${path} has ${cols} vertices, ${own[i].path} ${own[i].cols}: they must be equal.`);
  }
  return files;
}

/** Bytes of rows that are looked through at a time. */
const SCAN_BYTES = 2 ** 26;
/** By path, inode, size and time, so that a run looks through a file once. */
const scans = new Map<string, Promise<LeftOutReasons>>();

/** Looks through the responses of splits; per voxel, the left hemisphere's first. */
async function scanned(splits: ResponseFile[][]): Promise<LeftOutReasons> {
  const of = async (file: ResponseFile) => {
    const { ino, size, mtime } = await Deno.stat(file.path);
    const key = JSON.stringify([file.path, ino, size, mtime?.getTime()]);
    let scan = scans.get(key);
    if (!scan) scans.set(key, scan = scanOf(file));
    return await scan.catch((error) => {
      scans.delete(key);
      throw error;
    });
  };
  const found: number[][] = [];
  for (const files of splits) {
    const both: number[][] = [];
    for (const file of files) both.push([...await of(file)]);
    found.push(both.flat());
  }
  return Uint8Array.from(found[0], (_, voxel) => found.map((one) => one[voxel]).find((why) => why > 0) ?? 0);
}

async function scanOf({ path, rows, cols, isByRows, read }: ResponseFile): Promise<LeftOutReasons> {
  const scan = new VoxelScan(cols), some = isByRows ? Math.max(1, Math.floor(SCAN_BYTES / (4 * cols))) : rows;
  for (let first = 0; first < rows; first += some) {
    const empty = scan.add(await read(first, Math.min(some, rows - first)));
    if (!empty) continue;
    throw new Error(
      `${path} has ${empty.has} to image ${first + empty.row}, counted from 0: remove the image and its row.`,
    );
  }
  return scan.reasons();
}
