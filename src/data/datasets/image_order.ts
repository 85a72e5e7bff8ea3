/** Whether images stand in the order of their rows. */
import { basename } from "node:path";

/** Of a number in a name. */
const MAX_DIGITS = 20;

/**
 * What to say where names differ in their numbers alone, and their order, by letters, is not that of the numbers.
 *
 * @param images paths, in the order of `listImages`
 * @param rows what belongs to them
 */
export function otherOrder(images: readonly string[], rows: string): string | undefined {
  const names = images.map((path) => basename(path));
  if (new Set(names.map((name) => name.replace(/\d+/g, "#"))).size > 1) return undefined;
  const padded = names.map((name) => name.replace(/\d+/g, (digits) => digits.padStart(MAX_DIGITS, "0")));
  const at = padded.findIndex((name, i) => i > 0 && padded[i - 1] > name);
  if (at < 0) return undefined;
  return `${rows} belong to images in the order of their letters, ${names[at - 1]} before ${names[at]}: ` +
    "where they are in that of their numbers, write these with zeros in front";
}
