/** Images parted for cross-validation. */
import { seededRandom, shuffle } from "../linalg/random.ts";

/** One fold: what is fitted on, and what is predicted. */
export interface Fold {
  /** Images to fit on, ascending. */
  train: Uint32Array;
  /** Images held out, ascending. */
  held: Uint32Array;
}

/**
 * Splits images at random into folds whose sizes differ by at most one; every image is held out once.
 *
 * @param images how many
 * @param count number of folds
 * @param seed of the shuffle
 * @returns one per fold: indices of the images to fit on, and of those held out
 * @throws RangeError "12 folds of 9 images: …"
 */
export function crossValidationFolds(images: number, count: number, seed: number): Fold[] {
  if (!(Number.isInteger(count) && count >= 2 && count <= images)) {
    throw new RangeError(
      `${count} folds of ${images} images: give a whole number of folds from 2 to the number of images.`,
    );
  }
  const random = seededRandom(seed);
  const order = shuffle(Uint32Array.from({ length: images }, (_, i) => i), random);
  return Array.from({ length: count }, (_, fold) => ({
    train: order.filter((_, at) => at % count !== fold).sort(),
    held: order.filter((_, at) => at % count === fold).sort(),
  }));
}
