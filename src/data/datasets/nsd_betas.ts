/**
 * Betas of the Natural Scenes Dataset, the responses to single trials, session by session: z-scored within each session, then
 * the mean over the trials of each image.
 */
import type * as hdf5 from "h5wasm";
import { findDataset, type FoundDataset, hdf5Reason, openHdf5 } from "../formats/hdf5.ts";
import { type LeftOutReasons, NOT_MEASURED, VoxelScan } from "./left_out_voxels.ts";
import { report } from "../files/skipped.ts";
import { type Affine, otherPlace } from "../formats/nifti_affine.ts";
import { openVolume } from "../formats/volume_file.ts";

/** What a file of one session has. */
export interface SessionShape {
  path: string;
  trials: number;
  /** Voxels along x, y and z, or vertices; axes of one are left out. */
  size: number[];
  /** Where voxels lie, in NIfTI that says it. */
  affine?: Affine;
}

/** Some voxels' betas in one file. */
interface Betas extends SessionShape {
  /** trials × voxels, as stored: percent signal change, or 300 times that in 16-bit integers. */
  values: Float32Array;
}

/** A file of a session, and the voxels that are wanted of it. */
export interface SessionPart {
  path: string;
  /** Indices in the file, x varying fastest; none twice. */
  voxels: Uint32Array;
}

/** What of HDF5 is read at a time, and the voxels between two that are wanted which are read with them. */
const PIECE_BYTES = 2 ** 26, MAX_GAP = 4;
/** Types of betas. */
const HDF5_TYPES: Record<string, number> = { "<h": 2, "<f": 4, "<d": 8 };
const VOLUME_TYPES = ["int16", "float32", "float64"];

/**
 * Looks at a file of betas: .hdf5, .nii(.gz) or .mgh/.mgz.
 *
 * @throws Error "….hdf5 has no dataset betas: …"; "… has values of type uint8, expected …"; as `openVolume`
 */
async function sessionShape(path: string): Promise<SessionShape> {
  return await inFile(path, (about) => Promise.resolve(about));
}

/**
 * The mean z-score of each image.
 *
 * Within each session and voxel the mean over all trials is 0 and the standard deviation (of the population, as
 * scipy.stats.zscore has it) 1; a factor, such as the 300 of 16-bit betas, drops out.
 *
 * @param sessions for each its files, hemisphere by hemisphere, and of each trial the row of its image
 * @param rows number of images
 * @param onProgress called with the number of sessions done, and of all
 * @returns images × voxels, the voxels of all parts side by side, and which of them are of no use
 * @throws Error "… has no finite response in trial 7, counted from 0: …"
 */
export async function meanZScores(
  sessions: readonly { parts: readonly SessionPart[]; rowOfTrial: Int32Array }[],
  rows: number,
  onProgress?: (done: number, total: number, note: string) => void,
): Promise<{ means: Float32Array; cols: number; reasons: LeftOutReasons }> {
  const cols = sessions[0].parts.reduce((sum, { voxels }) => sum + voxels.length, 0);
  const means = new Float32Array(rows * cols),
    reasons = new Uint8Array(cols),
    trialsOf = new Uint32Array(rows);
  for (const [done, { parts, rowOfTrial }] of sessions.entries()) {
    rowOfTrial.forEach((row) => trialsOf[row]++);
    let first = 0;
    for (const part of parts) {
      onProgress?.(done, sessions.length, part.path.replace(/^.*\//, ""));
      const betas = await readBetas(part);
      addZScores(means, betas, { cols, first, rowOfTrial, reasons });
      first += part.voxels.length;
    }
    onProgress?.(done + 1, sessions.length, "");
  }
  for (let row = 0, at = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++, at++) means[at] /= trialsOf[row];
  }
  return { means, cols, reasons };
}

/**
 * Looks at all files of all sessions, by their headers.
 *
 * @param sessions for each its files, hemisphere by hemisphere
 * @returns what the first session's have
 * @throws Error "… has 749 trials, … 750: they must be equal, …"; as `sessionShape`, `assertSameSize` and `otherPlace`
 */
export async function sessionShapes(sessions: readonly (readonly string[])[]): Promise<SessionShape[]> {
  const first: SessionShape[] = [];
  for (const files of sessions) {
    for (const [i, path] of files.entries()) {
      const shape = await sessionShape(path);
      first[i] ??= shape;
      assertSameSize(shape, first[i]);
      const elsewhere = otherPlace(shape, first[i]);
      if (elsewhere) report(elsewhere);
      if (shape.trials === first[0].trials) continue;
      throw new Error(
        `${path} has ${shape.trials} trials, ${first[0].path} ${
          first[0].trials
        }: they must be equal, so copy both again.`,
      );
    }
  }
  return first;
}

/**
 * Compares grids of voxels, or numbers of vertices.
 *
 * @throws Error "… has 5 × 4 × 3 values, … 4 × 4 × 3: they must be equal, …"
 */
export function assertSameSize(
  { path, size }: Pick<SessionShape, "path"> & { size: readonly number[] },
  betas: Pick<SessionShape, "path" | "size">,
): void {
  const own = size.filter((extent) => extent !== 1), expected = betas.size;
  if (own.join() === expected.join()) return;
  throw new Error(
    `${path} has ${own.join(" × ")} values, ${betas.path} ${
      expected.join(" × ")
    }: they must be equal, so copy both again, of one space.`,
  );
}

/** Adds a session's z-scores to the sums of its images. */
function addZScores(
  sums: Float32Array,
  { path, trials, values }: Betas,
  { cols, first, rowOfTrial, reasons }: {
    cols: number;
    first: number;
    rowOfTrial: Int32Array;
    reasons: LeftOutReasons;
  },
): void {
  const voxels = values.length / trials, scan = new VoxelScan(voxels), empty = scan.add(values);
  if (empty) {
    throw new Error(`${path} has ${empty.has} in trial ${empty.row}, counted from 0: copy it again.`);
  }
  const mean = new Float64Array(voxels), deviation = new Float64Array(voxels);
  for (let at = 0; at < values.length;) {
    for (let voxel = 0; voxel < voxels; voxel++) mean[voxel] += values[at++] / trials;
  }
  for (let at = 0; at < values.length;) {
    for (let voxel = 0; voxel < voxels; voxel++) {
      deviation[voxel] += (values[at++] - mean[voxel]) ** 2 / trials;
    }
  }
  const why = scan.reasons();
  for (let voxel = 0; voxel < voxels; voxel++) {
    if (why[voxel] > 0 && reasons[first + voxel] === 0) {
      reasons[first + voxel] = why[voxel] === 1 ? 1 : NOT_MEASURED;
    }
    deviation[voxel] = why[voxel] > 0 ? Infinity : Math.sqrt(deviation[voxel]);
    if (why[voxel] > 0) mean[voxel] = 0;
  }
  for (let trial = 0, at = 0; trial < trials; trial++) {
    const to = rowOfTrial[trial] * cols + first;
    for (let voxel = 0; voxel < voxels; voxel++, at++) {
      sums[to + voxel] += (values[at] - mean[voxel]) / deviation[voxel];
    }
  }
}

async function readBetas({ path, voxels }: SessionPart): Promise<Betas> {
  return await inFile(path, async (about, read) => ({ ...about, values: await read(voxels) }));
}

type Reader = (voxels: Uint32Array) => Promise<Float32Array>;

/** Opens a file, and closes it. */
async function inFile<T>(path: string, use: (about: SessionShape, read: Reader) => Promise<T>): Promise<T> {
  if (/\.hdf5$/i.test(path)) return await inHdf5(path, use);
  using file = await openVolume(path);
  if (!VOLUME_TYPES.includes(file.type)) throw wrongType(path, file.type);
  const { frames: trials, affine } = file;
  const about = { path, trials, size: file.size.filter((extent) => extent !== 1), affine };
  return await use(about, async (voxels) => {
    const values = new Float32Array(file.frames * voxels.length);
    for (let trial = 0; trial < file.frames; trial++) {
      values.set(await file.next(voxels), trial * voxels.length);
    }
    await file.finish();
    return values;
  });
}

/** MATLAB's x × y × z × trials, or vertices × trials, which HDF5 sees the other way round. */
async function inHdf5<T>(path: string, use: (about: SessionShape, read: Reader) => Promise<T>): Promise<T> {
  using opened = await openHdf5(path);
  const { file } = opened;
  const found = findDataset(file, "betas");
  if (!found) throw new Error(`${path} has no dataset betas: expected NSD's betas.`);
  const [trials, ...size] = found.shape, bytes = HDF5_TYPES[found.dtype];
  if (!bytes) throw wrongType(path, JSON.stringify(found.dtype));
  if (size.length === 0 || trials === 0) {
    throw new Error(
      `The betas of ${path} have shape (${found.shape.join(", ")}), expected trials × voxels.`,
    );
  }
  const about = { path, trials, size: size.toReversed().filter((extent) => extent !== 1) };
  return await use(about, (voxels) => {
    try {
      return Promise.resolve(readSome(found, bytes, voxels));
    } catch (error) {
      throw new Error(`The betas of ${path} cannot be unpacked ${hdf5Reason(error)}.`, { cause: error });
    }
  });
}

/** Voxels' values, trials × voxels: by lines of voxels where chunks hold many trials of few voxels, else by trials. */
function readSome(
  { dataset, shape, chunks }: FoundDataset,
  bytes: number,
  voxels: Uint32Array,
): Float32Array {
  const [trials, ...size] = shape, count = size.reduce((product, extent) => product * extent, 1);
  const values = new Float32Array(trials * voxels.length);
  if (!chunks || 4 * chunks[0] <= trials) {
    const deep = chunks?.[0] ?? 1,
      some = deep * Math.max(1, Math.floor(PIECE_BYTES / (count * bytes * deep)));
    for (let from = 0; from < trials; from += some) {
      const to = Math.min(trials, from + some);
      const block = numbersIn(dataset, [
        [from, to],
        ...size.map((extent) => [0, extent] as [number, number]),
      ]);
      for (let trial = from; trial < to; trial++) {
        for (let v = 0; v < voxels.length; v++) {
          values[trial * voxels.length + v] = block[(trial - from) * count + voxels[v]];
        }
      }
    }
    return values;
  }
  const order = Uint32Array.from(voxels.keys()).sort((a, b) => voxels[a] - voxels[b]), line = size.at(-1)!;
  const longest = Math.max(1, Math.floor(PIECE_BYTES / (trials * bytes)));
  for (let first = 0; first < order.length;) {
    const start = voxels[order[first]], end = Math.min(start - start % line + line, start + longest);
    let next = first + 1;
    while (
      next < order.length && voxels[order[next]] < end &&
      voxels[order[next]] - voxels[order[next - 1]] <= MAX_GAP
    ) {
      next++;
    }
    const width = voxels[order[next - 1]] - start + 1;
    const place: [number, number][] = [[start % line, start % line + width]];
    for (let axis = size.length - 2, rest = Math.floor(start / line); axis >= 0; axis--) {
      place.unshift([rest % size[axis], rest % size[axis] + 1]);
      rest = Math.floor(rest / size[axis]);
    }
    const block = numbersIn(dataset, [[0, trials], ...place]);
    for (; first < next; first++) {
      const at = voxels[order[first]] - start;
      for (let trial = 0; trial < trials; trial++) {
        values[trial * voxels.length + order[first]] = block[trial * width + at];
      }
    }
  }
  return values;
}

function numbersIn(dataset: hdf5.Dataset, ranges: [number, number][]): ArrayLike<number> {
  const found = dataset.slice(ranges);
  if (found instanceof Int16Array || found instanceof Float32Array || found instanceof Float64Array) {
    return found;
  }
  throw new Error("its values are not numbers");
}

function wrongType(path: string, type: string): Error {
  return new Error(
    `${path} has values of type ${type}, expected betas as int16 (300 × percent signal change), float32 or float64.`,
  );
}
