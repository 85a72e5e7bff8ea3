/** Subjects for scripts, named as by `--data`. */
import { assertChoice } from "../linalg/check_options.ts";
import type { Subject } from "../data/datasets/subject.ts";

/** A split of a subject, and what closes its files. */
export interface OpenedSubject {
  /** Images, responses, regions. */
  subject: Subject;
  /** Whether `images` are paths. */
  hasFiles: boolean;
  /** Closes what is open. */
  close(): void;
}

/**
 * Opens one split of a subject.
 *
 * @param source `algonauts:DIR`, `nsd:DIR`, or DIR alone, which is a folder in the layout of Algonauts 2023
 * @param split `training` or `test`
 * @param signal stops the reading between files
 * @throws Error one sentence that names the file that is absent or does not fit, or the split without responses
 * @throws RangeError '"voc:DIR" is not a subject: give algonauts:DIR or nsd:DIR.'
 */
export async function openSubject(
  source: string,
  split: "training" | "test",
  signal?: AbortSignal,
): Promise<OpenedSubject> {
  assertChoice("split", split, ["training", "test"]);
  const { DATA_KINDS } = await import("../data/datasets/data_parts.ts");
  const [, kind, path] = /^([\w-]+):(.+)$/s.exec(source) ?? [];
  const known = DATA_KINDS.find((name) => name === kind);
  if (known === "nsd") {
    const { training, test, close } = await (await import("../data/datasets/nsd.ts")).openNsd(path, {
      signal,
    });
    const subject = split === "training" ? training : test;
    if (subject) return { subject, hasFiles: false, close };
    close();
    throw new Error(`${path} has no responses to images of the test split: read the training split.`);
  }
  if (known !== undefined && known !== "algonauts") {
    throw new RangeError(`"${source}" is not a subject: give algonauts:DIR or nsd:DIR.`);
  }
  const { openAlgonauts } = await import("../data/datasets/algonauts.ts");
  const subject = await openAlgonauts(known ? path : source, split);
  return { subject, hasFiles: true, close() {} };
}
