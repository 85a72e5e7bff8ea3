/**
 * The Natural Scenes Dataset as it is released (Allen et al. 2022), one subject in one space of betas: docs/formats.md says which
 * file is read for what.
 */
import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import { hashOfModules } from "./code_hash.ts";
import { parseCsvRows } from "./csv.ts";
import { hashesByName } from "./file_hashes.ts";
import { findDataset, hdf5Reason, openHdf5 } from "./hdf5.ts";
import type { RgbImage } from "./image.ts";
import { FSAVERAGE, vertexCount } from "./icosphere.ts";
import { readMatlab } from "./matlab5.ts";
import {
  assertRowsThere,
  readBytes,
  readNpy,
  readNpyHeader,
  readNpyRows,
  writeNpy,
  writeNpyRows,
} from "./npy.ts";
import {
  assertSameSize,
  meanZScores,
  type SessionPart,
  type SessionShape,
  sessionShape,
} from "./nsd_betas.ts";
import { isFolder, isThere, MOST_TEXT } from "./plain_file.ts";
import { MOST_PIXELS } from "./resize.ts";
import { NotFinished, openStages } from "./stages.ts";
import {
  type ClassRegion,
  type Hemisphere,
  HEMISPHERES,
  namedRegions,
  ROI_CLASSES,
  type Subject,
  type SubjectSplits,
  usedVoxels,
  usefulVoxels,
} from "./subject.ts";
import { findVolume, readVolume } from "./volume_file.ts";

/** How the dataset is opened. */
export interface NsdOptions {
  /** Folder that the responses put together are kept in; without it, in memory. */
  cache?: string;
  /** Compute nothing: responses that are not kept are an error, `NotFinished`. */
  explain?: boolean;
  /** Told how many sessions are read, of how many. */
  onProgress?: (done: number, total: number, note: string) => void;
}

/** A subject, with what a table says of it. */
export interface OpenedNsd extends SubjectSplits {
  /** What is not there, in words. */
  missing: string[];
  /** The subject, space and version, as subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR. */
  name: string;
  /** Which betas, of which sessions. */
  about: string;
  /** Closes the images. */
  close(): void;
}

/** The dataset's parts, by its own paths. */
const DESIGN = "nsddata/experiments/nsd/nsd_expdesign.mat",
  STIMULUS_INFO = "nsddata/experiments/nsd/nsd_stim_info_merged.csv",
  STIMULI = "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5",
  BETAS = "nsddata_betas/ppdata";
/** Where betas may lie in: grids of voxels, and surfaces. */
const VOLUMES = ["func1pt8mm", "func1mm"], SURFACES = ["fsaverage", "nativesurface"];
/** Regions of these are read, and their voxels are those of the subject; `nsdgeneral` is one region. */
const CLASSES = [...Object.keys(ROI_CLASSES), "Kastner2015", "nsdgeneral"];
/** Subjects, images of each, and sessions that were planned. */
const SUBJECTS = 8, SESSIONS = 40;
/** Endings of volumes and of surfaces, in the order in which they are taken. */
const VOLUME_ENDINGS = [".nii.gz", ".nii"], SURFACE_ENDINGS = [".mgz", ".mgh"];
/** What computes the responses that are kept. */
const CODE = ["src/data/nsd.ts"];

/** Where a subject's files are. */
interface Place {
  root: string;
  /** The folder of betas. */
  betas: string;
  /** As subj01. */
  name: string;
  /** From 1 on. */
  number: number;
  space: string;
  isSurface: boolean;
}

/**
 * Opens one subject of the dataset.
 *
 * Betas are z-scored within each session, and the mean is taken over the trials of each image. The images that all subjects
 * saw (`sharedix`, 1,000 of them) are the test split, the others the training split, both in the order of their NSD numbers
 * and named by them as the files call them, from 0 (`nsd-00012`). Voxels are those of any region of the ROI classes; of them
 * those of no use are left out and told, as by `openAlgonauts`. The noise ceiling is `ncsnr² / (ncsnr² + m)`, m the mean of 1/n
 * over the test images, n being the trials of each (NSD's data manual, and Allen et al. 2022, methods): ncsnr² / (ncsnr² + 1/n)
 * where all have n.
 *
 * @param path the dataset's folder, or any folder in it that leads to one folder of betas
 * @throws Error one sentence that names the file, what was expected and what was found
 */
export async function openNsd(path: string, options: NsdOptions = {}): Promise<OpenedNsd> {
  const place = await findPlace(path), sessions = await findSessions(place);
  const design = await readDesign(place);
  const files = sessions.found.flatMap(({ files }) => files);
  const first = await Promise.all(sessions.found[0].files.map(sessionShape));
  const { images, rowOfTrial, used } = imagesOf(design, sessions.found.map(({ number }) => number), first[0]);
  const rois = await readRois(place, first);
  const snr = await readNcsnr(place, rois.parts, first);
  const shown = images.test.length > 0 ? images.test : images.training;
  const share = shown.reduce((sum, { trials }) => sum + 1 / trials, 0) / shown.length;
  const ceilings = snr && Float32Array.from(snr.values, (value) => value ** 2 / (value ** 2 + share));
  const truth = [...files, ...used, ...rois.files, ...snr?.files ?? []];
  const hashes = await hashesByName(truth);
  const responses = await readResponses(options, {
    sessions: sessions.found.map(({ files }, i) => ({
      parts: files.map((path, part): SessionPart => ({ path, voxels: rois.parts[part] })),
      rowOfTrial: rowOfTrial[i],
    })),
    images,
    inputs: { name: place.name, betas: basename(place.betas), hashes },
    keep: (reasons) => usefulVoxels({ reasons, ceilings }),
  });
  const notes = [...rois.notes, ...sessions.notes];
  const { used: kept, ...known } = usedVoxels(
    place.betas,
    { ...rois, reasons: responses.reasons, ceilings },
    notes,
  );
  const stimuli = await openStimuli(
    `${place.root}/${STIMULI}`,
    [...images.training, ...images.test],
    design.path,
  );
  const vertices = Uint32Array.from(kept, (voxel) => rois.vertices[voxel]);
  const subject = (split: "training" | "test"): Subject => ({
    images: images[split].map(({ id }) => `nsd-${String(id).padStart(5, "0")}`),
    ...known,
    vertices,
    surfaceVertices: place.space === "fsaverage" && first[0].size[0] === vertexCount(FSAVERAGE)
      ? vertices
      : undefined,
    notes,
    readImage: async (row) => await stimuli.read(images[split][row].id),
    hashImages: () =>
      Promise.resolve(images[split].map(({ id }) => {
        return [String(id), createHash("sha256").update(stimuli.read(id).data).digest("hex")];
      })),
    hashTruth: () => Promise.resolve(hashes),
    readResponses: responses[split],
  });
  const name = `${place.name}/${place.space}/${basename(place.betas)}`;
  return {
    training: subject("training"),
    ...(images.test.length > 0 ? { test: subject("test") } : {}),
    missing: [
      ...sessions.missing,
      ...(rois.absent.length > 0 ? [`ROI files of ${rois.absent.join(", ")}`] : []),
    ],
    name,
    about: `${sessions.found.length} sessions of ${name}`,
    close: stimuli.close,
  };
}

/** Finds the one folder of betas that a path leads to. */
async function findPlace(path: string): Promise<Place> {
  const full = resolve(path), [inside] = /^.*(?=\/nsddata_betas(?:\/|$))/.exec(full) ?? [];
  const root = inside ?? full;
  if (!await isFolder(`${root}/${BETAS}`)) {
    throw new Error(
      `${path} has no folder ${BETAS}: --data nsd: takes the folder of the Natural Scenes Dataset, or a folder of betas in it.`,
    );
  }
  const found: Place[] = [];
  for (const name of await namesIn(`${root}/${BETAS}`)) {
    const number = Number(/^subj(\d\d)$/.exec(name)?.[1]);
    if (!(number >= 1 && number <= SUBJECTS)) continue;
    for (const space of [...VOLUMES, ...SURFACES]) {
      for (const version of await namesIn(`${root}/${BETAS}/${name}/${space}`)) {
        const betas = `${root}/${BETAS}/${name}/${space}/${version}`, isSurface = SURFACES.includes(space);
        const isMeant = betas === full || betas.startsWith(`${full}/`);
        if (!isMeant || !(await namesIn(betas)).some((file) => sessionOf(file, isSurface))) continue;
        found.push({ root, betas, name, number, space, isSurface });
      }
    }
  }
  if (found.length === 1) return found[0];
  const choices = found.slice(0, 3).map(({ betas }) => betas).join(", ");
  throw new Error(
    found.length === 0
      ? `${path} has no betas: expected ${BETAS}/subj01/func1pt8mm/betas_…/betas_session01.hdf5 or .nii.gz, or those of ` +
        `${SURFACES.join(" or ")} (lh.betas_session01.mgh or .hdf5).`
      : `${path} has ${found.length} folders of betas: write --data nsd: with one of them (${choices}${
        found.length > 3 ? " …" : ""
      }).`,
  );
}

/** What a file of betas is, by its name. */
function sessionOf(file: string, isSurface: boolean) {
  const [, hemisphere, number, ending] =
    /^(?:(lh|rh)\.)?betas_session(\d\d)\.(hdf5|nii\.gz|nii|mgh|mgz)$/.exec(file) ?? [];
  if (number === undefined || (hemisphere !== undefined) !== isSurface) return undefined;
  return { hemisphere: hemisphere as Hemisphere | undefined, number: Number(number), ending };
}

/** The files of each session, HDF5 where there are several of one. */
async function findSessions({ betas, isSurface }: Place) {
  const files = (await namesIn(betas)).map((file) => ({ file, about: sessionOf(file, isSurface) }));
  const pick = (number: number, hemisphere?: Hemisphere) => {
    const own = files.filter(({ about }) => about?.number === number && about.hemisphere === hemisphere);
    own.sort((a, b) => Number(b.about!.ending === "hdf5") - Number(a.about!.ending === "hdf5"));
    return own[0] && `${betas}/${own[0].file}`;
  };
  const found: { number: number; files: string[] }[] = [], absent: number[] = [];
  for (let number = 1; number <= SESSIONS; number++) {
    const own = isSurface ? HEMISPHERES.map((hemisphere) => pick(number, hemisphere)) : [pick(number)];
    const there = own.filter((path) => path !== undefined);
    if (there.length === own.length) found.push({ number, files: there });
    else if (there.length === 0) absent.push(number);
    else {
      throw new Error(
        `${betas} has ${basename(there[0])} without the other hemisphere's: copy both, or remove the one.`,
      );
    }
  }
  const missing = absent.length > 0
    ? [`session${absent.length > 1 ? "s" : ""} ${ranges(absent)} of ${SESSIONS}`]
    : [];
  const last = found.at(-1)!.number, gaps = absent.filter((number) => number < last);
  const notes = gaps.length > 0 ? [`sessions between those that are there are missing: ${ranges(gaps)}`] : [];
  return { found, missing, notes };
}

/** As "3, 7 to 9". */
function ranges(numbers: readonly number[]): string {
  const starts = numbers.filter((number) => !numbers.includes(number - 1));
  return starts.map((start) => {
    let end = start;
    while (numbers.includes(end + 1)) end++;
    return end === start ? String(start) : `${start} to ${end}`;
  }).join(", ");
}

/** Which image each trial showed. */
interface Design {
  path: string;
  files: string[];
  /** Of each trial of all sessions the image, from 0 on in `imgBrick`. */
  imageOfTrial: Uint32Array;
  /** The images that all subjects saw. */
  shared: Set<number>;
}

async function readDesign({ root, number }: Place): Promise<Design> {
  const path = `${root}/${DESIGN}`;
  const [ordering, subjectim, sharedix] = await readMatlab(path, ["masterordering", "subjectim", "sharedix"]);
  const [subjects, own] = subjectim.shape;
  if (subjectim.shape.length !== 2 || subjects !== SUBJECTS) {
    throw new Error(`subjectim of ${path} is ${subjectim.shape.join(" × ")}, expected ${SUBJECTS} × images.`);
  }
  const whole = (value: number, most: number, name: string) => {
    if (Number.isInteger(value) && value >= 1 && value <= most) return value - 1;
    throw new Error(`${name} of ${path} holds ${value}, expected whole numbers from 1 to ${most}.`);
  };
  const imageOfTrial = Uint32Array.from(ordering.data, (position) => {
    const image = subjectim.data[number - 1 + subjects * whole(position, own, "masterordering")];
    return whole(image, 2 ** 31, "subjectim");
  });
  const shared = new Set(Array.from(sharedix.data, (image) => whole(image, 2 ** 31, "sharedix")));
  const infoPath = `${root}/${STIMULUS_INFO}`, hasInfo = await isThere(infoPath);
  const design = { path, files: hasInfo ? [path, infoPath] : [path], imageOfTrial, shared };
  if (hasInfo) await assertSameDesign(infoPath, number, design);
  return design;
}

/** Compares the two files that say which trial showed which image, and which images are shared. */
async function assertSameDesign(
  path: string,
  subject: number,
  { path: other, imageOfTrial, shared }: Design,
) {
  const { rows: [names, ...rows], lines } = parseCsvRows(await readText(path), path);
  const column = (name: string) => {
    const found = names?.indexOf(name) ?? -1;
    if (found >= 0) return found;
    throw new Error(`${path} has no column ${name}: expected that of the Natural Scenes Dataset.`);
  };
  const id = column("nsdId"), isShared = column("shared1000");
  const repeats = [0, 1, 2].map((repeat) => column(`subject${subject}_rep${repeat}`));
  for (const [i, row] of rows.entries()) {
    if (row.length !== names.length) {
      throw new Error(
        `${path}, line ${
          lines[i + 1]
        }: ${row.length} cells, expected ${names.length}, as in the first line; copy it again.`,
      );
    }
    const image = Number(row[id]);
    if (/^true$/i.test(row[isShared]) !== shared.has(image)) {
      throw new Error(
        `${path} and sharedix of ${other} disagree on whether image ${image} is shared: copy both again, of one release.`,
      );
    }
    for (const repeat of repeats) {
      const trial = Number(row[repeat]);
      if (trial === 0 || imageOfTrial[trial - 1] === image) continue;
      throw new Error(
        `${path} has image ${image} in trial ${row[repeat]} of subject ${subject}, ${other} ${
          imageOfTrial[trial - 1] ?? "no such trial"
        }: copy both again, of one release.`,
      );
    }
  }
}

/** An image and how often it was seen in the sessions that are there. */
interface SeenImage {
  /** From 0 on in `imgBrick`. */
  id: number;
  trials: number;
}

/** The images of both splits by number, and of each session's trials the rows: training first, then test. */
function imagesOf(
  { path, files, imageOfTrial, shared }: Design,
  sessions: readonly number[],
  { path: betas, trials }: SessionShape,
) {
  const planned = imageOfTrial.length;
  if (planned !== SESSIONS * trials) {
    throw new Error(
      `${betas} has ${trials} trials, masterordering of ${path} ${planned} in ${SESSIONS} sessions: each session must have ${
        planned / SESSIONS
      }, so copy both again.`,
    );
  }
  const shown = sessions.map((number) => imageOfTrial.subarray((number - 1) * trials, number * trials));
  const counts = new Map<number, number>();
  for (const images of shown) for (const image of images) counts.set(image, (counts.get(image) ?? 0) + 1);
  const seen = [...counts].map(([id, trials]): SeenImage => ({ id, trials })).sort((a, b) => a.id - b.id);
  const training = seen.filter(({ id }) => !shared.has(id)), test = seen.filter(({ id }) => shared.has(id));
  if (training.length === 0) {
    throw new Error(
      `All images of the sessions that are there are shared (sharedix of ${path}): none is left to learn from.`,
    );
  }
  const rowOf = new Map([...training, ...test].map(({ id }, row) => [id, row]));
  return {
    images: { training, test },
    rowOfTrial: shown.map((images) => Int32Array.from(images, (id) => rowOf.get(id)!)),
    used: files,
  };
}

/** Regions and the voxels that are in any. */
interface NsdRois {
  /** Voxels of the left hemisphere, which come first. */
  lh: number;
  /** Of each voxel its index in the files. */
  vertices: Uint32Array;
  /** The same, for each file of a session. */
  parts: Uint32Array[];
  rois: Map<string, Uint32Array>;
  notes: string[];
  files: string[];
  /** ROI classes that are not there. */
  absent: string[];
}

/** @param betas files of a session, by hemisphere on surfaces */
async function readRois(
  place: Place,
  betas: readonly SessionShape[],
): Promise<NsdRois> {
  const notes: string[] = [], absent: string[] = [], files: string[] = [];
  const labels: { roiClass: string; names: Map<number, string>; values: Float64Array[] }[] = [];
  for (const roiClass of CLASSES) {
    const paths = await findMasks(place, roiClass, betas[0], notes);
    if (!paths) {
      absent.push(roiClass);
      continue;
    }
    const masks = await Promise.all(paths.map(readVolume));
    for (const [i, mask] of masks.entries()) {
      assertSameSize(mask, betas[i] ?? betas[0]);
    }
    const table = await findColorTable(place, roiClass);
    const names = table ? await readColorTable(table) : new Map([[1, roiClass]]);
    masks.forEach((mask) => assertNamed(mask, names, table ?? "NSD"));
    labels.push({ roiClass, names, values: masks.map(({ values }) => values) });
    files.push(...paths, ...(table ? [table] : []));
  }
  if (labels.length === 0) {
    throw new Error(
      `${place.betas} has no ROI file: expected ${
        place.isSurface
          ? `nsddata/freesurfer/${
            place.space === "fsaverage" ? "fsaverage" : place.name
          }/label/lh.streams.mgz`
          : `nsddata/ppdata/${place.name}/${place.space}/roi/lh.prf-visualrois.nii.gz`
      } and others.`,
    );
  }
  const isIn = HEMISPHERES.map((_, side) =>
    labels[0].values[side].map((_, i) => {
      return Number(labels.some(({ values }) => values[side][i] > 0));
    })
  );
  let both = 0;
  if (!place.isSurface) {
    isIn[0].forEach((inLeft, i) => {
      if (inLeft === 0 || isIn[1][i] === 0) return;
      isIn[1][i] = 0;
      both++;
    });
  }
  if (both > 0) notes.push(`voxels in regions of both hemispheres, which are counted as left: ${both}`);
  const indices = isIn.map((some) => Uint32Array.from(some.keys()).filter((i) => some[i] > 0));
  const lh = indices[0].length, vertices = Uint32Array.from([...indices[0], ...indices[1]]);
  const numbers = indices.map((own, side) => new Map(own.entries().map(([n, i]) => [i, side * lh + n])));
  const found = new Map<string, ClassRegion[]>();
  for (const { roiClass, names, values } of labels) {
    const own = new Map(
      [...names].filter(([value]) => value > 0).map(([value, name]) => [value, {
        name,
        voxels: [] as number[],
      }]),
    );
    values.forEach((mask, side) =>
      mask.forEach((value, i) => {
        const voxel = numbers[side].get(i);
        if (value > 0 && voxel !== undefined) own.get(value)!.voxels.push(voxel);
      })
    );
    for (const { name, voxels } of own.values()) {
      found.set(name, [...found.get(name) ?? [], { roiClass, voxels }]);
    }
  }
  const named = namedRegions(found);
  return {
    ...{ lh, vertices, files, absent },
    parts: place.isSurface ? indices : [vertices],
    rois: named.rois,
    notes: [...notes, ...named.notes],
  };
}

/** The masks of a class, left hemisphere first; undefined where they are not there, or on another surface, which is noted. */
async function findMasks(
  { root, name, space, isSurface }: Place,
  roiClass: string,
  betas: SessionShape,
  notes: string[],
): Promise<string[] | undefined> {
  const label = (subject: string) => `${root}/nsddata/freesurfer/${subject}/label`;
  const folders = !isSurface
    ? [`${root}/nsddata/ppdata/${name}/${space}/roi`]
    : space === "fsaverage"
    ? [`${root}/nsddata/ppdata/${name}/${space}/roi`, label("fsaverage"), label(name)]
    : [label(name)];
  const endings = isSurface ? SURFACE_ENDINGS : VOLUME_ENDINGS;
  for (const folder of folders) {
    const paths = await Promise.all(
      HEMISPHERES.map((hemisphere) => findVolume(`${folder}/${hemisphere}.${roiClass}`, endings)),
    );
    const there = paths.filter((path) => path !== undefined);
    if (there.length === 1) {
      throw new Error(`${there[0]} is there without the other hemisphere's: copy both, or remove the one.`);
    }
    if (there.length === 2) {
      const isNative = space === "fsaverage" && folder === label(name);
      const { values: { length } } = isNative
        ? await readVolume(there[0])
        : { values: { length: betas.size[0] } };
      if (length === betas.size[0]) return there;
      notes.push(
        `${roiClass} is not used: ${
          basename(there[0])
        } is on the subject's own surface (${length} vertices, fsaverage has ${
          betas.size[0]
        }); NSD's nsd_mapdata maps it to nsddata/ppdata/${name}/fsaverage/roi`,
      );
      return undefined;
    }
    const joint = await findVolume(`${folder}/${roiClass}`, endings);
    if (joint) {
      notes.push(
        `${basename(joint)} is not used: lh.${basename(joint)} and rh.${basename(joint)} are not there`,
      );
    }
  }
}

/** The names of a class's labels; of `nsdgeneral`, which has one, undefined where there is none. */
async function findColorTable({ root, name }: Place, roiClass: string): Promise<string | undefined> {
  const paths = [name, "fsaverage"].map((subject) =>
    `${root}/nsddata/freesurfer/${subject}/label/${roiClass}.mgz.ctab`
  );
  for (const path of paths) if (await isThere(path)) return path;
  if (roiClass === "nsdgeneral") return undefined;
  throw new Error(`There is no file ${paths[0]}, nor one of fsaverage: it names the regions of ${roiClass}.`);
}

/** Lines of a number and a name; what follows are colors. */
async function readColorTable(path: string): Promise<Map<number, string>> {
  const names = new Map<number, string>(), text = await readText(path);
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const [, value, name] = /^\s*(\d+)\s+(\S+)/.exec(line) ?? [];
    if (name === undefined) {
      throw new Error(`${path}, line ${i + 1}: expected a number and a name, found "${line}".`);
    }
    names.set(Number(value), name);
  }
  return names;
}

function assertNamed(
  { path, values }: { path: string; values: Float64Array },
  names: Map<number, string>,
  table: string,
) {
  const at = values.findIndex((value) => !(value <= 0 || names.has(value)));
  if (at < 0) return;
  throw new Error(
    `${path} labels voxel ${at} with ${
      values[at]
    }, which ${table} does not name: they do not belong together.`,
  );
}

/** Noise-ceiling SNR of each voxel; undefined where there is no such file. */
async function readNcsnr(
  { betas, isSurface }: Place,
  parts: readonly Uint32Array[],
  shapes: readonly SessionShape[],
): Promise<{ values: Float64Array; files: string[] } | undefined> {
  const stems = isSurface
    ? HEMISPHERES.map((hemisphere) => `${betas}/${hemisphere}.ncsnr`)
    : [`${betas}/ncsnr`];
  const endings = isSurface ? SURFACE_ENDINGS : VOLUME_ENDINGS;
  const found = await Promise.all(stems.map((stem) => findVolume(stem, endings)));
  const files = found.filter((path) => path !== undefined);
  if (files.length === 0) return undefined;
  if (files.length < stems.length) {
    throw new Error(`${files[0]} is there without the other hemisphere's: copy both, or remove the one.`);
  }
  const values: number[] = [];
  for (const [i, path] of files.entries()) {
    const volume = await readVolume(path);
    assertSameSize(volume, shapes[i]);
    for (const voxel of parts[i]) {
      const value = volume.values[voxel];
      if (value < 0) {
        throw new Error(
          `${path} gives voxel ${voxel} the ncsnr ${value}, expected 0 or more: copy it again.`,
        );
      }
      values.push(value);
    }
  }
  return { values: Float64Array.from(values), files };
}

/** The responses of both splits to the voxels of use. */
interface Responses extends Record<"training" | "test", Subject["readResponses"]> {
  /** Of all voxels. */
  reasons: Uint8Array;
}

async function readResponses(
  { cache, explain, onProgress }: NsdOptions,
  { sessions, images, inputs, keep }: {
    sessions: Parameters<typeof meanZScores>[0];
    images: Record<"training" | "test", SeenImage[]>;
    inputs: Record<string, unknown>;
    keep: (reasons: Uint8Array) => Uint32Array;
  },
): Promise<Responses> {
  const counts = { training: images.training.length, test: images.test.length };
  const compute = async () => {
    const { means, cols, reasons } = await meanZScores(sessions, counts.training + counts.test, onProgress);
    const kept = keep(reasons), from = { training: 0, test: counts.training };
    const rows = (split: "training" | "test") => (first: number, count: number) => {
      const data = new Float32Array(count * kept.length);
      for (let row = 0, at = 0; row < count; row++) {
        const start = (from[split] + first + row) * cols;
        for (const voxel of kept) data[at++] = means[start + voxel];
      }
      return data;
    };
    return { reasons, cols: kept.length, training: rows("training"), test: rows("test") };
  };
  if (cache === undefined) {
    const { reasons, cols, ...rows } = await compute();
    const read = (split: "training" | "test"): Subject["readResponses"] => async (first, count) => {
      assertRowsThere(`The ${split} split`, counts[split], first, count);
      return await { data: rows[split](first, count), rows: count, cols };
    };
    return { reasons, training: read("training"), test: read("test") };
  }
  const stages = openStages(`${cache}/nsd`, explain), stage = "responses";
  const folder = await stages.run(stage, { code: await hashOfModules(CODE), ...inputs }, async (folder) => {
    const { reasons, cols, ...rows } = await compute();
    await writeNpy(`${folder}/reasons.npy`, reasons, [reasons.length]);
    for (const split of ["training", "test"] as const) {
      await writeNpyRows(`${folder}/${split}.npy`, [counts[split], cols], rows[split]);
    }
  });
  if (!folder) throw new NotFinished(stage, stages.reports[0].why);
  const read = (split: "training" | "test"): Subject["readResponses"] => async (first, count) => {
    const path = `${folder}/${split}.npy`, header = await readNpyHeader(path);
    return { data: await readNpyRows(path, header, first, count), rows: count, cols: header.shape[1] };
  };
  const reasons = (await readNpy(`${folder}/reasons.npy`)).data as Uint8Array;
  return { reasons, training: read("training"), test: read("test") };
}

/** The images, read one at a time. */
async function openStimuli(
  path: string,
  images: readonly SeenImage[],
  design: string,
): Promise<{ read(image: number): RgbImage; close(): void }> {
  const { file } = await openHdf5(path);
  try {
    const found = findDataset(file, "imgBrick"), [count, height, width, colors] = found?.shape ?? [];
    if (!found || colors !== 3 || !(height * width <= MOST_PIXELS) || !/^[<>|]?B$/.test(found.dtype)) {
      throw new Error(`${path} has no imgBrick of images × height × width × 3 bytes: copy it again.`);
    }
    const last = images.reduce((most, { id }) => Math.max(most, id), 0);
    if (last >= count) {
      throw new Error(
        `${design} shows image ${last}, counted from 0, imgBrick of ${path} has ${count} images: copy both again.`,
      );
    }
    return {
      read(image) {
        try {
          const data = found.dataset.slice([[image, image + 1], [0, height], [0, width], [0, colors]]);
          return { width, height, data: data as Uint8Array };
        } catch (error) {
          throw new Error(`Image ${image} of ${path} cannot be unpacked ${hdf5Reason(error)}.`, {
            cause: error,
          });
        }
      },
      close: () => void file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  if (!await isFolder(folder)) return [];
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path, MOST_TEXT));
}
