/** Regions and noise-ceiling SNR of the voxels of the Natural Scenes Dataset, in a volume or on a surface. */
import { basename } from "node:path";
import { readBytes } from "../formats/npy.ts";
import { assertSameSize, type SessionShape } from "./nsd_betas.ts";
import type { Place } from "./nsd_place.ts";
import { isThere, MAX_TEXT } from "../files/plain_file.ts";
import { type ClassRegion, HEMISPHERES, namedRegions, ROI_CLASSES } from "./subject.ts";
import { otherPlace, type Placed } from "../formats/nifti_affine.ts";
import { findVolume, readVolume } from "../formats/volume_file.ts";

/** Regions of these are read, and their voxels are those of the subject; `nsdgeneral` is one region. */
const CLASSES = [...Object.keys(ROI_CLASSES), "Kastner2015", "nsdgeneral"];
/** Endings of volumes and of surfaces, in the order in which they are taken. */
const VOLUME_ENDINGS = [".nii.gz", ".nii"], SURFACE_ENDINGS = [".mgz", ".mgh"];

/** Regions and the voxels that are in any. */
export interface NsdRois {
  /** Voxels of the left hemisphere, which come first. */
  lh: number;
  /** Of each voxel its index in the files. */
  vertices: Uint32Array;
  /** The same, for each file of a session. */
  parts: Uint32Array[];
  /** The first file that says where its voxels lie. */
  grid?: Placed;
  rois: Map<string, Uint32Array>;
  notes: string[];
  files: string[];
  /** ROI classes that are not there. */
  absent: string[];
}

/** @param betas files of a session, by hemisphere on surfaces */
export async function readRois(
  place: Place,
  betas: readonly SessionShape[],
): Promise<NsdRois> {
  const notes: string[] = [], absent: string[] = [], files: string[] = [];
  const labels: { roiClass: string; names: Map<number, string>; values: Float64Array[] }[] = [];
  let grid: Placed | undefined = betas.find(({ affine }) => affine);
  for (const roiClass of CLASSES) {
    const paths = await findMasks(place, roiClass, betas[0], notes);
    if (!paths) {
      absent.push(roiClass);
      continue;
    }
    const masks = await Promise.all(paths.map(readVolume));
    for (const [i, mask] of masks.entries()) {
      assertSameSize(mask, betas[i] ?? betas[0]);
      grid ??= mask.affine && mask;
      const elsewhere = grid && otherPlace(mask, grid);
      if (elsewhere) notes.push(elsewhere);
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
    lh,
    vertices,
    files,
    absent,
    ...(grid && { grid }),
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
  const names = new Map<number, string>(), text = new TextDecoder().decode(await readBytes(path, MAX_TEXT));
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
export async function readNcsnr(
  { betas, isSurface }: Place,
  { parts, grid, notes }: Pick<NsdRois, "parts" | "grid" | "notes">,
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
    const elsewhere = grid && otherPlace(volume, grid);
    if (elsewhere) notes.push(elsewhere);
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
