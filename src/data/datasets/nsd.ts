/**
 * The Natural Scenes Dataset as it is released (Allen et al. 2022), one subject in one space of betas: docs/formats.md says which
 * file is read for what.
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { assertKnown } from "../../linalg/check_options.ts";
import { hashOfModules } from "../files/code_hash.ts";
import { parseCsvRows } from "../formats/csv.ts";
import { hashesByName } from "../files/file_hashes.ts";
import { findDataset, hdf5Reason, openHdf5 } from "../formats/hdf5.ts";
import { FSAVERAGE, vertexCount } from "./icosphere.ts";
import { readMatlab } from "../formats/matlab5.ts";
import { readBytes, readNpy, readNpyHeader, writeNpy } from "../formats/npy.ts";
import { meanZScores, type SessionPart, type SessionShape, sessionShapes } from "./nsd_betas.ts";
import { findPlace, findSessions, type Place, SESSIONS, SUBJECTS } from "./nsd_place.ts";
import { readNcsnr, readRois } from "./nsd_regions.ts";
import { isThere, MAX_TEXT } from "../files/plain_file.ts";
import { NotFinished, openStages } from "../cache/stages.ts";
import { type Subject, type SubjectSplits, usedVoxels, usefulVoxels } from "./subject.ts";
import { MAX_PIXELS, type RgbImage } from "../images/picture.ts";
import { assertRowsThere, readNpyRows, writeNpyRows } from "../formats/npy_rows.ts";

/** How the dataset is opened. */
export interface NsdOptions {
  /** Folder that the responses put together are kept in; without it, in memory. */
  cache?: string;
  /** Compute nothing: responses that are not kept are an error, `NotFinished`. */
  explain?: boolean;
  /** Called with the number of sessions read, and of all. */
  onProgress?: (done: number, total: number, note: string) => void;
  /** Stops the reading before the next file; it then rejects with the signal's reason. */
  signal?: AbortSignal;
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
  STIMULI = "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5";
/** What computes the responses that are kept. */
const CODE = ["src/data/datasets/nsd.ts"];

/**
 * Opens one subject of the dataset.
 *
 * Betas are z-scored within each session, and the mean is taken over the trials of each image. The images that all subjects
 * saw (`sharedix`, 1,000 of them) are the test split, the others the training split, both in the order of their NSD numbers
 * and named by them as the files call them, from 0 (`nsd-00012`). Voxels are those of any region of the ROI classes; of them
 * those of no use are left out and reported, as by `openAlgonauts`. The noise ceiling is `ncsnr² / (ncsnr² + m)`, m the mean of 1/n
 * over the test images, n being the trials of each (NSD's data manual, and Allen et al. 2022, methods): ncsnr² / (ncsnr² + 1/n)
 * where all have n.
 *
 * @param path the dataset's folder, or any folder in it that leads to one folder of betas
 * @throws Error one sentence that names the file, what was expected and what was found
 */
export async function openNsd(path: string, options: NsdOptions = {}): Promise<OpenedNsd> {
  assertKnown("openNsd", options, { cache: true, explain: true, onProgress: true, signal: true });
  const place = await findPlace(path), sessions = await findSessions(place);
  const design = await readDesign(place);
  const files = sessions.found.flatMap(({ files }) => files);
  const first = await sessionShapes(sessions.found.map(({ files }) => files));
  const { images, rowOfTrial, used } = imagesOf(design, sessions.found.map(({ number }) => number), first[0]);
  const rois = await readRois(place, first);
  const snr = await readNcsnr(place, rois, first);
  const shown = images.test.length > 0 ? images.test : images.training;
  const share = shown.reduce((sum, { trials }) => sum + 1 / trials, 0) / shown.length;
  const ceilings = snr && Float32Array.from(snr.values, (value) => value ** 2 / (value ** 2 + share));
  const stimuli = await openStimuli(
    `${place.root}/${STIMULI}`,
    [...images.training, ...images.test],
    design.path,
  );
  try {
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
      hashLabels: () => Promise.resolve(hashes),
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
  } catch (error) {
    stimuli.close();
    throw error;
  }
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
  const { rows: [names, ...rows], lines } = parseCsvRows(
    new TextDecoder().decode(await readBytes(path, MAX_TEXT)),
    path,
  );
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

/** The responses of both splits to the voxels of use. */
interface Responses extends Record<"training" | "test", Subject["readResponses"]> {
  /** Of all voxels. */
  reasons: Uint8Array;
}

async function readResponses(
  { cache, explain, onProgress, signal }: NsdOptions,
  { sessions, images, inputs, keep }: {
    sessions: Parameters<typeof meanZScores>[0];
    images: Record<"training" | "test", SeenImage[]>;
    inputs: Record<string, unknown>;
    keep: (reasons: Uint8Array) => Uint32Array;
  },
): Promise<Responses> {
  const counts = { training: images.training.length, test: images.test.length };
  const compute = async () => {
    const { means, cols, reasons } = await meanZScores(sessions, counts.training + counts.test, (...step) => {
      onProgress?.(...step);
      signal?.throwIfAborted();
    });
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

/**
 * The images, read one at a time.
 *
 * @param images that have to be there
 * @param design names the file that shows them
 */
export async function openStimuli(
  path: string,
  images: readonly Pick<SeenImage, "id">[],
  design: string,
): Promise<{ read(image: number): RgbImage; close(): void }> {
  const { file } = await openHdf5(path);
  try {
    const found = findDataset(file, "imgBrick"), [count, height, width, colors] = found?.shape ?? [];
    if (!found || colors !== 3 || !(height * width <= MAX_PIXELS) || !/^[<>|]?B$/.test(found.dtype)) {
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
        let data: Uint8Array;
        try {
          data = found.dataset.slice([[image, image + 1], [0, height], [0, width], [
            0,
            colors,
          ]]) as Uint8Array;
        } catch (error) {
          throw new Error(`Image ${image} of ${path} cannot be unpacked ${hdf5Reason(error)}.`, {
            cause: error,
          });
        }
        if (data.every((value) => value === data[0])) {
          throw new Error(
            `Image ${image} of ${path} is ${
              data[0]
            } throughout, as HDF5 reads what was never written: copy it again.`,
          );
        }
        return { width, height, data };
      },
      close: () => void file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
