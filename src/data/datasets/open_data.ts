/** Data of one's own, by kind and folder, checked before anything is computed. */
import { createHash } from "node:crypto";
import {
  DATA_KINDS,
  type DataFolders,
  type DataImage,
  type DataRow,
  isSubject,
  OPEN,
  openAlgonautsPart,
  type Part,
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
   * what is known beside their pixels (masks, names of classes, responses, regions, noise ceilings, places).
   */
  keys: { subject: string; images: string; labels: string };
  /** Closes the files. */
  close(): void;
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
 * @param limit take the first so many photographs of each kind, but all of the subject's responses
 * @param options of `openNsd`
 * @returns photographs, subject and the table of what is found, missing and used; `close` it in the end
 * @throws Error one sentence that names the folder or file, what was found, and what was expected
 */
export async function openData(
  folders: DataFolders,
  limit = Infinity,
  options: NsdOptions = {},
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
      if (path !== undefined && !isSubject(kind)) parts.push(await OPEN[kind](path, limit));
    }
    for (const kind of SUBJECT_KINDS) {
      const path = folders[kind];
      if (path === undefined) continue;
      const opened = kind === "nsd" ? await openNsd(path, options) : await openAlgonautsPart(path);
      parts.unshift(await subjectPart(kind, path, opened, limit, parts.length > 0));
    }
    if (parts.length === 0) throw new Error("There is no data: give --data KIND:DIR or --images DIR.");
  } catch (error) {
    close();
    throw error;
  }
  const hashOf = (some: Part[], what: "identity" | "truth") =>
    createHash("sha256").update(JSON.stringify(some.map((part) => [part.row.kind, part[what]])))
      .digest("hex").slice(0, 16);
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
      subject: hashOf(parts.filter(({ row }) => isSubject(row.kind)), "identity"),
      images: hashOf(sources, "identity"),
      labels: hashOf(parts, "truth"),
    },
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
