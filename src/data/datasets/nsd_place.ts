/** Where the files of one subject of the Natural Scenes Dataset are: in which space, and of which sessions. */
import { basename, resolve } from "node:path";
import { isFolder } from "../files/plain_file.ts";
import { type Hemisphere, HEMISPHERES } from "./subject.ts";

/** Subjects, and sessions that were planned. */
export const SUBJECTS = 8, SESSIONS = 40;

/** Where betas lie, by the dataset's own paths. */
const BETAS = "nsddata_betas/ppdata";
/** What they may lie in: grids of voxels, and surfaces. */
const VOLUMES = ["func1pt8mm", "func1mm"], SURFACES = ["fsaverage", "nativesurface"];

/** Where a subject's files are. */
export interface Place {
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

/** Finds the one folder of betas that a path leads to. */
export async function findPlace(path: string): Promise<Place> {
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
  if (!(Number(number) >= 1 && Number(number) <= SESSIONS) || (hemisphere !== undefined) !== isSurface) {
    return undefined;
  }
  return { hemisphere: hemisphere as Hemisphere | undefined, number: Number(number), ending };
}

/** The files of each session, HDF5 where there are several of one. */
export async function findSessions({ betas, isSurface }: Place) {
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

async function namesIn(folder: string): Promise<string[]> {
  if (!await isFolder(folder)) return [];
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}
