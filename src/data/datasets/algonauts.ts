/** The layout of the Algonauts 2023 challenge: one folder a subject, with images, fMRI responses and ROI masks. */
import { basename } from "node:path";
import { writeFileAtomic } from "../files/atomic_write.ts";
import { hashesByName } from "../files/file_hashes.ts";
import { vertexCount } from "./icosphere.ts";
import { listImages, readImage } from "../images/image.ts";
import { type LeftOutReasons, VoxelScan } from "./left_out_voxels.ts";
import {
  assertRowsThere,
  float32Of,
  readBytes,
  readNpyHeader,
  readNpyRows,
  writeNpy,
} from "../formats/npy.ts";
import { readNpz } from "../formats/npz.ts";
import { findArray, readArray } from "../formats/number_array.ts";
import { encodePickledMapping, parsePickledMapping } from "../formats/pickled_mapping.ts";
import { isFolder, isThere, MOST_TEXT } from "../files/plain_file.ts";
import { tell } from "../files/skipped.ts";
import {
  type ClassRegion,
  type Hemisphere,
  HEMISPHERES,
  namedRegions,
  ROI_CLASSES,
  type Subject,
  type SubjectSplits,
  usedVoxels,
} from "./subject.ts";

/** Of a number in a name. */
const MOST_DIGITS = 20;
/** What mappings call the vertices of no region. */
const NO_REGION = /^(?:|\?+|(?:un|non|other|back|medial|outside|rest).*|no(?:t?\b|thing).*)$/i;

/** The part of a subject's images to open; the release keeps the responses to `test` to itself. */
export type AlgonautsSplit = "training" | "test";

/**
 * Opens one subject's folder of the Algonauts 2023 release.
 *
 * Responses may be of any type of numbers and any order, and .npz in the place of .npy. Both splits are read once to find
 * voxels of no use, which are the same in both: left out of everything, and told in `skipped`.
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
  const order = otherOrder(images);
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
    tell(notes.at(-1)!);
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
    hashTruth: () => hashesByName(truth),
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

/** What to say where names differ in their numbers alone, and their order, by letters, is not that of the numbers. */
function otherOrder(images: readonly string[]): string | undefined {
  const names = images.map((path) => basename(path));
  if (new Set(names.map((name) => name.replace(/\d+/g, "#"))).size > 1) return undefined;
  const padded = names.map((name) => name.replace(/\d+/g, (digits) => digits.padStart(MOST_DIGITS, "0")));
  const at = padded.findIndex((name, i) => i > 0 && padded[i - 1] > name);
  if (at < 0) return undefined;
  return `rows of responses belong to images in the order of their letters, ${names[at - 1]} before ${
    names[at]
  }: ` +
    "where they are in that of their numbers, write these with zeros in front";
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
  return Promise.all(HEMISPHERES.map((hemisphere) => openResponses(responsesPath(dir, hemisphere, split))));
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
    const both: number[] = [];
    for (const file of files) both.push(...await of(file));
    found.push(both);
  }
  return Uint8Array.from(found[0], (_, voxel) => found.map((one) => one[voxel]).find((why) => why > 0) ?? 0);
}

async function scanOf({ path, rows, cols, isByRows, read }: ResponseFile): Promise<LeftOutReasons> {
  const scan = new VoxelScan(cols), some = isByRows ? Math.max(1, Math.floor(SCAN_BYTES / (4 * cols))) : rows;
  for (let first = 0; first < rows; first += some) {
    const empty = scan.add(await read(first, Math.min(some, rows - first)));
    if (empty < 0) continue;
    throw new Error(
      `${path} has no finite response to image ${
        first + empty
      }, counted from 0: remove the image and its row.`,
    );
  }
  return scan.reasons();
}

/** What is measured of one subject and one split. */
export interface AlgonautsResponses {
  hemisphere: Hemisphere;
  /** images × vertices, row-major. */
  data: Float32Array;
  rows: number;
}

/**
 * Writes the responses of one hemisphere where `openAlgonauts` looks for them.
 *
 * @param dir the subject's folder
 * @param split whose images
 * @param responses one row an image
 * @throws RangeError when the values are not a whole number of rows
 */
export async function writeAlgonautsResponses(
  dir: string,
  split: AlgonautsSplit,
  { hemisphere, data, rows }: AlgonautsResponses,
): Promise<void> {
  await Deno.mkdir(`${dir}/${split}_split/${split}_fmri`, { recursive: true });
  await writeNpy(responsesPath(dir, hemisphere, split), data, [rows, data.length / rows]);
}

/**
 * Writes one mask a hemisphere for every ROI class that occurs, with its mapping, as the release does.
 *
 * @param dir the subject's folder
 * @param names per hemisphere the ROI of each vertex, by the names of `ROI_CLASSES`; "" for none
 * @throws RangeError "No ROI class has V9: expected one of …"
 */
export async function writeAlgonautsRois(
  dir: string,
  names: Readonly<Record<Hemisphere, readonly string[]>>,
): Promise<void> {
  const known = Object.values(ROI_CLASSES).flat();
  const used = new Set([...names.lh, ...names.rh].filter(Boolean));
  for (const name of used) {
    if (!known.includes(name)) {
      throw new RangeError(`No ROI class has ${name}: expected one of ${known.join(", ")}.`);
    }
  }
  await Deno.mkdir(`${dir}/roi_masks`, { recursive: true });
  for (const [roiClass, rois] of Object.entries(ROI_CLASSES)) {
    if (!rois.some((roi) => used.has(roi))) continue;
    const mapping = new Map(["Unknown", ...rois].map((name, value) => [value, name]));
    await writeFileAtomic(mappingPath(dir, roiClass), encodePickledMapping(mapping));
    for (const hemisphere of HEMISPHERES) {
      const mask = Int32Array.from(names[hemisphere], (name) => rois.indexOf(name) + 1);
      await writeNpy(maskPath(dir, hemisphere, roiClass), mask, [mask.length]);
    }
  }
}

/**
 * Writes the noise ceilings of one hemisphere.
 *
 * @param dir the subject's folder
 * @param hemisphere whose
 * @param ceilings of each vertex, from 0 to 1 (r²)
 */
export async function writeAlgonautsNoiseCeiling(
  dir: string,
  hemisphere: Hemisphere,
  ceilings: Float32Array,
): Promise<void> {
  await Deno.mkdir(`${dir}/test_split/noise_ceiling`, { recursive: true });
  await writeNpy(ceilingPath(dir, hemisphere), ceilings, [ceilings.length]);
}

/**
 * Writes where the vertices of one hemisphere lie on a flattened cortex.
 *
 * @param dir the subject's folder
 * @param hemisphere whose
 * @param places vertices × 2 (x, y), y down, in one frame for both hemispheres
 */
export async function writeAlgonautsPlaces(
  dir: string,
  hemisphere: Hemisphere,
  places: Float32Array,
): Promise<void> {
  await Deno.mkdir(`${dir}/roi_masks`, { recursive: true });
  await writeNpy(placesPath(dir, hemisphere), places, [places.length / 2, 2]);
}

/**
 * Writes which vertices of fsaverage the voxels of one hemisphere lie on.
 *
 * @param dir the subject's folder
 * @param hemisphere whose
 * @param vertices one a voxel, 0 to 163,841
 */
export async function writeAlgonautsVertices(
  dir: string,
  hemisphere: Hemisphere,
  vertices: Int32Array,
): Promise<void> {
  await Deno.mkdir(`${dir}/roi_masks`, { recursive: true });
  await writeNpy(verticesPath(dir, hemisphere), vertices, [vertices.length]);
}

/** The folder of a split's images. */
export function imageFolder(dir: string, split: AlgonautsSplit): string {
  return `${dir}/${split}_split/${split}_images`;
}

/** All regions, by indices in the files, and what is to be said of their names. */
async function readRois(
  dir: string,
  classes: readonly string[],
  voxels: Record<Hemisphere, number>,
): Promise<{ rois: Map<string, Uint32Array>; notes: string[] }> {
  const found = new Map<string, ClassRegion[]>(), unnamed: string[] = [];
  for (const roiClass of classes) {
    const path = mappingPath(dir, roiClass);
    const mapping = parsePickledMapping(await readBytes(path, MOST_TEXT), path);
    const own = new Map<string, number[]>();
    for (const [value, name] of mapping) if (value !== 0) own.set(name, []);
    const nowhere = mapping.get(0);
    if (nowhere !== undefined && !NO_REGION.test(nowhere)) {
      unnamed.push(
        `"${nowhere}", which ${basename(path)} calls 0, is taken for no region: give a region another number`,
      );
    }
    for (const hemisphere of HEMISPHERES) {
      const mask = await readPerVertex(maskPath(dir, hemisphere, roiClass), voxels[hemisphere]);
      const from = hemisphere === "lh" ? 0 : voxels.lh;
      mask.forEach((value, vertex) => {
        if (value === 0) return;
        const name = mapping.get(value);
        if (name === undefined) {
          throw new Error(
            `${
              maskPath(dir, hemisphere, roiClass)
            } labels vertex ${vertex} with ${value}, which ${path} does not name: they do not belong together.`,
          );
        }
        own.get(name)!.push(from + vertex);
      });
    }
    for (const [name, voxels] of own) {
      found.set(name, [...found.get(name) ?? [], { roiClass, voxels }]);
    }
  }
  const { rois, notes } = namedRegions(found);
  return { rois, notes: [...unnamed, ...notes] };
}

/** The ROI classes of a subject, in the order of their names. */
async function roiClasses(dir: string): Promise<string[]> {
  const folder = `${dir}/roi_masks`;
  const classes: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const found = /^mapping_(.+)\.npy$/.exec(name);
      if (found) classes.push(found[1]);
    }
  } catch (error) {
    throw new Error(`There is no folder ${folder}: expected the ROI masks of an Algonauts 2023 subject.`, {
      cause: error,
    });
  }
  return classes.sort();
}

/** Shares of variance; what is no number belongs to a voxel that is left out. */
async function readNoiseCeiling(dir: string, voxels: Record<Hemisphere, number>, notes: string[]) {
  const ceilings = await readBothHemispheres((hemisphere) => ceilingPath(dir, hemisphere), voxels, notes);
  const wrong = ceilings?.findIndex((value) => value < 0 || value > 1) ?? -1;
  if (wrong < 0) return ceilings;
  const [hemisphere, vertex] = wrong < voxels.lh
    ? ["lh", wrong] as const
    : ["rh", wrong - voxels.lh] as const;
  throw new Error(
    `${ceilingPath(dir, hemisphere)} gives vertex ${vertex} the noise ceiling ${
      ceilings![wrong]
    }, expected r² from 0 to 1: divide percent by 100, and set what is below 0 to 0.`,
  );
}

function readPlaces(dir: string, voxels: Record<Hemisphere, number>, notes: string[]) {
  return readBothHemispheres((hemisphere) => placesPath(dir, hemisphere), voxels, notes, 2);
}

/** Meshes whose vertices are the first ones of fsaverage: fsaverage5, fsaverage6 and itself. */
const NESTED = [5, 6, 7].map(vertexCount);

/** Vertices of fsaverage, of all voxels. */
async function readSurfaceVertices(
  dir: string,
  voxels: Record<Hemisphere, number>,
  notes: string[],
): Promise<{ vertices: Uint32Array; pathOf: (hemisphere: Hemisphere) => string } | undefined> {
  const listed = (hemisphere: Hemisphere) => verticesPath(dir, hemisphere);
  const vertices = await readBothHemispheres(listed, voxels, notes);
  if (vertices) {
    const wrong = vertices.findIndex((vertex) =>
      !(Number.isInteger(vertex) && vertex >= 0 && vertex < NESTED[2])
    );
    if (wrong < 0) return { vertices: Uint32Array.from(vertices), pathOf: listed };
    const hemisphere = wrong < voxels.lh ? "lh" : "rh";
    throw new Error(
      `${listed(hemisphere)} puts voxel ${wrong < voxels.lh ? wrong : wrong - voxels.lh} on vertex ${
        vertices[wrong]
      }, expected a whole number from 0 to ${NESTED[2] - 1}, a vertex of fsaverage.`,
    );
  }
  const masked = (hemisphere: Hemisphere) => maskOfVerticesPath(dir, hemisphere);
  const both = await Promise.all(
    HEMISPHERES.map(async (hemisphere) => await isThere(await findArray(masked(hemisphere)))),
  );
  if (!both[0] || !both[1]) {
    const only = both.indexOf(true);
    if (only >= 0) {
      notes.push(
        `${basename(masked(HEMISPHERES[only]))} is not used: there is no ${
          basename(masked(HEMISPHERES[1 - only]))
        }`,
      );
    }
    return undefined;
  }
  const parts = await Promise.all(
    HEMISPHERES.map((hemisphere) => readVertexMask(masked(hemisphere), voxels[hemisphere])),
  );
  return { vertices: Uint32Array.from(parts.flat()), pathOf: masked };
}

/** The vertices that a mask over a whole mesh marks: the voxels are those, in the mesh's order. */
async function readVertexMask(wanted: string, voxels: number): Promise<number[]> {
  const { data, shape, path } = await readArray(wanted);
  if (shape.length !== 1 || !NESTED.includes(data.length)) {
    throw new Error(
      `${path} has shape (${
        shape.join(", ")
      }), expected one value a vertex of fsaverage, fsaverage6 or fsaverage5: ${
        NESTED.toReversed().join(", ")
      }.`,
    );
  }
  const marked = Array.from(data, Number).flatMap((value, vertex) => value === 0 ? [] : [vertex]);
  if (marked.length === voxels) return marked;
  throw new Error(
    `${path} marks ${marked.length} vertices, the responses have ${voxels}: they must be equal, so copy both again.`,
  );
}

/** Values of all voxels from a file a hemisphere; undefined where one is missing, as the release comes without them. */
async function readBothHemispheres(
  pathOf: (hemisphere: Hemisphere) => string,
  voxels: Record<Hemisphere, number>,
  notes: string[],
  each = 1,
): Promise<Float32Array | undefined> {
  const paths = await Promise.all(HEMISPHERES.map((hemisphere) => findArray(pathOf(hemisphere))));
  const there = await Promise.all(paths.map(isThere));
  const missing = there.indexOf(false);
  if (missing >= 0) {
    if (there[1 - missing]) {
      notes.push(`${basename(paths[1 - missing])} is not used: there is no ${basename(paths[missing])}`);
    }
    return undefined;
  }
  const parts = await Promise.all(
    HEMISPHERES.map((hemisphere) => readPerVertex(pathOf(hemisphere), voxels[hemisphere], each)),
  );
  return Float32Array.from(parts.flat());
}

async function readPerVertex(wanted: string, vertices: number, each = 1): Promise<number[]> {
  const { data, shape, path } = await readArray(wanted);
  if (data.length !== vertices * each) {
    throw new Error(
      `${path} has shape (${shape.join(", ")}), the responses ${vertices} vertices: they must be equal.`,
    );
  }
  return Array.from(data, Number);
}

function responsesFolder(dir: string, split: AlgonautsSplit): string {
  return `${dir}/${split}_split/${split}_fmri`;
}

function responsesPath(dir: string, hemisphere: Hemisphere, split: AlgonautsSplit): string {
  return `${responsesFolder(dir, split)}/${hemisphere}_${split}_fmri.npy`;
}

function ceilingPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/test_split/noise_ceiling/${hemisphere}_noise_ceiling.npy`;
}

function placesPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/roi_masks/${hemisphere}.voxel_places.npy`;
}

function verticesPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/roi_masks/${hemisphere}.voxel_vertices.npy`;
}

function maskOfVerticesPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/roi_masks/${hemisphere}.all-vertices_fsaverage_space.npy`;
}

function maskPath(dir: string, hemisphere: Hemisphere, roiClass: string): string {
  return `${dir}/roi_masks/${hemisphere}.${roiClass}_challenge_space.npy`;
}

function mappingPath(dir: string, roiClass: string): string {
  return `${dir}/roi_masks/mapping_${roiClass}.npy`;
}
