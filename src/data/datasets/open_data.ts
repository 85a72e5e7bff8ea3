/** Data of one's own, by kind and folder, checked before anything is computed. */
import { createHash } from "node:crypto";
import {
  DATA_KINDS,
  type DataFolders,
  type DataImage,
  type DataRow,
  isSubject,
  type ListedImage,
  OPEN,
  openAlgonautsPart,
  openListed,
  type Part,
  type PhotographKind,
  SUBJECT_KINDS,
  subjectPart,
} from "./data_parts.ts";
import { type NsdOptions, openNsd } from "./nsd.ts";
import type { SubjectSplits } from "./subject.ts";

/** Data that were checked and can be used. */
export interface OpenedData {
  /** All photographs with masks or without, in the order voc, imagenet-seg, images; else those of the subject. */
  images: DataImage[];
  /** Photographs of voc behind those, as many at most: for tests on images that nothing else has seen. */
  further: DataImage[];
  /** The subject, for channel alignment and brain scores; absent where none was given. */
  subject?: SubjectSplits;
  /** Its name, without where it is. */
  subjectName?: string;
  /** Names of the classes of `classMask` by index; absent without voc. */
  classes?: readonly string[];
  /** One row a kind. */
  table: DataRow[];
  /**
   * For the keys of caches: changes with kinds, names and contents of the subject's photographs, of all photographs, and of
   * what is known beside their pixels (masks, names of classes, responses, regions, noise ceilings, places), of which the
   * subject's also by itself.
   */
  keys: { subject: string; images: string; labels: string; subjectLabels: string };
  /** `images` and then `further` as a plan lists them; none of a subject's. */
  listed: ListedImage[];
  /** Closes the files. */
  close(): void;
}

/** What a plan knows of photographs, so that a task opens those that it looks at and no others. */
export interface PlannedData extends Pick<OpenedData, "keys" | "classes" | "table"> {
  /** Number of all photographs. */
  count: number;
  /** Of their names. */
  namesSha256: string;
  /** Those to open, by their number among all. */
  chosen: [number: number, image: ListedImage][];
  /** Of the further photographs those to open. */
  further: ListedImage[];
}

/** Whether a subject's images and responses were given. */
export function hasSubject(folders: DataFolders): boolean {
  return SUBJECT_KINDS.some((kind) => folders[kind] !== undefined);
}

/**
 * Checks what is there, and opens it.
 *
 * A photograph without its mask, or a mask without its photograph, is left out and reported in the table; what cannot be used
 * at all is an error.
 *
 * @param folders at least one
 * @param limit take the first N photographs of each kind, but all of the subject's responses
 * @param options of `openNsd`
 * @param planned photographs that were found and hashed before: `images` has gaps for those that are not chosen, and the
 *   others are compared with their hashes when they are read
 * @returns photographs, subject and the table of what is found, missing and used; `close` it in the end
 * @throws Error one sentence that names the folder or file, what was found, and what was expected
 */
export async function openData(
  folders: DataFolders,
  limit = Infinity,
  options: NsdOptions = {},
  planned?: PlannedData,
): Promise<OpenedData> {
  if (folders.algonauts !== undefined && folders.nsd !== undefined) {
    throw new Error(
      "--data algonauts: and --data nsd: are both given: a run has one subject, so give one of them.",
    );
  }
  const parts: Part[] = [];
  const close = () => {
    for (const part of parts) part.close?.();
  };
  try {
    for (const kind of DATA_KINDS) {
      const path = folders[kind];
      if (path !== undefined && !isSubject(kind) && !planned) parts.push(await OPEN[kind](path, limit));
    }
    for (const kind of SUBJECT_KINDS) {
      const path = folders[kind];
      if (path === undefined) continue;
      const opened = kind === "nsd" ? await openNsd(path, options) : await openAlgonautsPart(path);
      parts.unshift(await subjectPart(kind, path, opened, limit, parts.length > 0 || planned !== undefined));
    }
    if (planned) return await openPlanned(folders, parts, planned, close);
    if (parts.length === 0) throw new Error("There is no data: give --data KIND:DIR or --images DIR.");
  } catch (error) {
    close();
    throw error;
  }
  const classes = parts.find((part) => part.classes)?.classes, subject = parts[0].subject;
  const sources = parts.filter(({ images }) => images.length > 0);
  const named = ({ row: { kind }, images }: Part) =>
    sources.length === 1 ? images : images.map((image) => ({ ...image, name: `${kind} ${image.name}` }));
  return {
    images: sources.flatMap(named),
    further: parts.flatMap(({ further }) => further ?? []),
    ...(subject ? { subject, subjectName: parts[0].subjectName } : {}),
    ...(classes ? { classes } : {}),
    table: parts.map(({ row }) => row),
    keys: {
      ...subjectKeys(parts),
      images: hashOf(sources, "imagesKey"),
      labels: hashOf(parts, "labelsKey"),
    },
    listed: [
      ...parts.flatMap(({ listed = [], images }) => listed.slice(0, images.length)),
      ...parts.flatMap(({ listed = [], images }) => listed.slice(images.length)),
    ],
    close,
  };
}

function hashOf(parts: readonly Part[], what: "imagesKey" | "labelsKey"): string {
  const own = parts.map((part) => [part.row.kind, part[what]]);
  return createHash("sha256").update(JSON.stringify(own)).digest("hex").slice(0, 16);
}

function subjectKeys(parts: readonly Part[]): Pick<OpenedData["keys"], "subject" | "subjectLabels"> {
  const own = parts.filter(({ row }) => isSubject(row.kind));
  return { subject: hashOf(own, "imagesKey"), subjectLabels: hashOf(own, "labelsKey") };
}

/** A list of nothing but gaps, which take no memory: its length by itself would reserve room for all. */
export function withGaps<T>(length: number): T[] {
  const list: T[] = [];
  Reflect.set(list, length - 1, undefined);
  delete list[length - 1];
  return list;
}

/** A subject's parts, and photographs as a plan has them. */
async function openPlanned(
  folders: DataFolders,
  parts: Part[],
  { count, chosen, further, keys, classes, table }: PlannedData,
  close: () => void,
): Promise<OpenedData> {
  const images = withGaps<DataImage>(count), others: DataImage[] = [];
  const kinds = (Object.keys(OPEN) as PhotographKind[]).filter((kind) => folders[kind] !== undefined);
  const { subject, subjectLabels } = subjectKeys(parts);
  let isSame = subject === keys.subject && subjectLabels === keys.subjectLabels;
  for (const kind of kinds) {
    const own = chosen.filter(([, listed]) => listed.kind === kind),
      more = further.filter((one) => one.kind === kind);
    const opened = await openListed(kind, folders[kind]!, [...own.map(([, listed]) => listed), ...more]);
    parts.push({ ...opened, imagesKey: undefined, row: table.find((row) => row.kind === kind)! });
    isSame &&= !opened.classes || JSON.stringify(opened.classes) === JSON.stringify(classes);
    for (const [at, image] of opened.images.entries()) {
      const name = kinds.length === 1 || at >= own.length ? image.name : `${kind} ${image.name}`;
      if (at < own.length) images[own[at][0]] = { ...image, name };
      else others.push(image);
    }
  }
  if (!isSame) {
    throw new Error(
      "The subject or the names of classes have changed since the run was submitted: submit it again, without --resume.",
    );
  }
  return {
    images,
    further: others,
    ...(parts[0].subject ? { subject: parts[0].subject, subjectName: parts[0].subjectName } : {}),
    ...(classes && { classes }),
    table,
    keys,
    listed: [],
    close,
  };
}

/**
 * The table as text for a terminal, three lines a kind: found, missing, used for.
 *
 * @param table as of `openData`
 */
export function dataTableText(table: readonly DataRow[]): string {
  const width = 2 + Math.max(...table.map(({ kind, path }) => Math.max(kind.length, path.length)));
  return table.flatMap(({ kind, path, found, missing, used }) => [
    `${kind.padEnd(width)}found     ${found}`,
    `${path.padEnd(width)}missing   ${missing}`,
    `${"".padEnd(width)}used for  ${used}`,
  ]).join("\n");
}
