/** What simulations are made of: smooth random fields, figures and categories that know nothing of each other. */
import { type Random, seededRandom } from "../../src/linalg/random.ts";

/** Patches along a side of an image. */
export const SIDE = 7;
/** Patches of an image. */
export const PATCHES = SIDE * SIDE;
/** Images of a simulation, and their categories. */
export const IMAGES = 16, CATEGORIES = 4;

/** A number of mean 0 and variance 1, nearly normal. */
export function normal(random: Random): number {
  return (random() + random() + random() + random() - 2) * Math.sqrt(3);
}

/** `count` such numbers. */
export function normals(count: number, random: Random): Float64Array {
  return Float64Array.from({ length: count }, () => normal(random));
}

/** A field of the patches whose neighbours are alike, mean 0 and variance 1 over fields. */
export function smoothField(random: Random): Float64Array {
  const waves = Array.from({ length: 4 }, () => ({
    x: normal(random),
    y: normal(random),
    phase: 2 * Math.PI * random(),
  }));
  return Float64Array.from({ length: PATCHES }, (_, p) => {
    const x = p % SIDE / SIDE, y = Math.floor(p / SIDE) / SIDE;
    const sum = waves.reduce((all, wave) => all + Math.cos(4 * (wave.x * x + wave.y * y) + wave.phase), 0);
    return sum / Math.sqrt(2) / 1.1 + 0.35 * normal(random);
  });
}

/**
 * Figures of the images: ellipses that tend to stand in the middle; 1 figure, 0 ground.
 *
 * @param size of the figures, 1 by default
 */
export function figures(random: Random, size = 1): Uint8Array[] {
  return Array.from({ length: IMAGES }, () => {
    const [x, y] = [0, 1].map(() => SIDE / 2 + 1.1 * normal(random));
    const [across, down] = [0, 1].map(() => size * (1.4 + 1.2 * random()));
    const mask = Uint8Array.from(
      { length: PATCHES },
      (_, p) =>
        ((p % SIDE + 0.5 - x) / across) ** 2 + ((Math.floor(p / SIDE) + 0.5 - y) / down) ** 2 < 1 ? 1 : 0,
    );
    if (!mask.includes(1)) mask[Math.floor(PATCHES / 2)] = 1;
    return mask;
  });
}

/** Categories from 1 on, as many images of each. */
export function categories(): number[] {
  return Array.from({ length: IMAGES }, (_, i) => 1 + i % CATEGORIES);
}

/** The random numbers of one simulation. */
export function simulationRandom(seed: number): Random {
  return seededRandom(1_000_003 * (seed + 1));
}
