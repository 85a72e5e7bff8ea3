/** Colors of what is drawn on a cortex; the same on light and dark pages, as a picture's pixels cannot change with them. */

/** The folds: gyri light, sulci dark. */
export const GYRUS = [203, 201, 197], SULCUS = [160, 158, 155];
/** Ends and middle of the diverging scale, for values from −1 over 0 to 1. */
const NEGATIVE = [21, 84, 150], NEUTRAL = [247, 245, 240], POSITIVE = [190, 70, 6];
/** Steps between the middle and each end, so that a color can be found again on the bar. */
export const STEPS = 12;
/** How much of the folds shows through a color. */
const SHADE = 0.14;

/** Red, green and blue of a value, in whole steps; values beyond −1 and 1 are drawn as these. */
export function divergingColor(value: number): number[] {
  const share = Math.round(STEPS * Math.min(1, Math.abs(value))) / STEPS,
    end = value < 0 ? NEGATIVE : POSITIVE;
  return NEUTRAL.map((from, i) => Math.round(from + share * (end[i] - from)));
}

/** Shades of the folds: few, so that pictures of them stay small. */
const SHADES = 8;

/** 0 on gyri, 1 in sulci, in `SHADES` steps. */
function fold(sulc: number): number {
  return Math.round(SHADES * Math.min(1, Math.max(0, 0.5 + sulc / 0.5))) / SHADES;
}

/** The gray of the bare cortex. */
export function foldColor(sulc: number): number[] {
  const depth = fold(sulc);
  return GYRUS.map((gyrus, i) => Math.round(gyrus + depth * (SULCUS[i] - gyrus)));
}

/** A color with the folds showing through. */
export function onFolds(color: readonly number[], sulc: number): number[] {
  const shade = 1 - SHADE * Math.round(fold(sulc));
  return color.map((channel) => Math.round(channel * shade));
}
