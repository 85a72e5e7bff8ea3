/** Images that are in a data set twice. */
import { report } from "../files/skipped.ts";

/**
 * Reports images of one content: where one of them is learned from and the other is scored on, a score is no held-out one.
 *
 * @param path of the data set, for the message
 * @param hashes names and hashes of all its images
 */
export function tellSameImages(
  path: string,
  hashes: readonly (readonly [name: string, hash: string])[],
): void {
  const first = new Map<string, string>(), pairs: string[] = [];
  for (const [name, hash] of hashes) {
    const known = first.get(hash);
    if (known === undefined) first.set(hash, name);
    else pairs.push(`${name} is ${known}`);
  }
  if (pairs.length === 0) return;
  report(
    `${pairs.length} of ${hashes.length} images of ${path} ${pairs.length > 1 ? "are" : "is"} there twice (${
      pairs[0]
    }${
      pairs.length > 1 ? ", …" : ""
    }): scores are too high where one is learned from and the other is held out`,
  );
}
