/** Colors of what is drawn on a cortex; the same on light and dark pages, as a picture's pixels cannot change with them. */

/** The folds: gyri light, sulci dark. */
const GYRUS = [203, 201, 197], SULCUS = [160, 158, 155];
/** Ends and middle of the diverging scale, for values from −1 over 0 to 1. */
const NEGATIVE = [21, 84, 150], NEUTRAL = [247, 245, 240], POSITIVE = [190, 70, 6];
/** Steps between the middle and each end, so that a color can be found again on the bar. */
export const STEPS = 12;
/** The scale as a CSS gradient, for a bar beside a cortex. */
export const GRADIENT = `linear-gradient(90deg, ${
  [NEGATIVE, NEUTRAL, POSITIVE].map((color) => `rgb(${color.join(" ")})`).join(", ")
})`;
/** How much of the folds shows through a color. */
const SHADE = 0.14;

/** Red, green and blue of a value, in whole steps; values beyond −1 and 1 are drawn as these. */
export function divergingColor(value: number): number[] {
  const share = Math.round(STEPS * Math.min(1, Math.abs(value))) / STEPS,
    end = value < 0 ? NEGATIVE : POSITIVE;
  return NEUTRAL.map((from, i) => Math.round(from + share * (end[i] - from)));
}

/** Shades of the folds but the lightest: few, so that pictures of them stay small. */
export const SHADES = 8;

/** The shade of a depth: 0 on gyri, `SHADES` in sulci. */
export function shadeOf(sulc: number): number {
  return Math.round(SHADES * Math.min(1, Math.max(0, 0.5 + sulc / 0.5)));
}

/** The gray of a shade. */
export function shadeColor(shade: number): number[] {
  return GYRUS.map((gyrus, i) => Math.round(gyrus + shade / SHADES * (SULCUS[i] - gyrus)));
}

/** The gray of the bare cortex. */
export function foldColor(sulc: number): number[] {
  return shadeColor(shadeOf(sulc));
}

/** A color with the folds showing through. */
export function onFolds(color: readonly number[], sulc: number): number[] {
  const shade = 2 * shadeOf(sulc) < SHADES ? 1 : 1 - SHADE;
  return color.map((channel) => Math.round(channel * shade));
}
