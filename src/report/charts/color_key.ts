/** The key below a chart whose cells are filled the stronger the further their numbers are from 0. */
import type { Theme } from "../theme.ts";

/** Blocks of the key, its length and height, and the digits of its numbers that count. */
const BLOCKS = 12, LENGTH = 168, HEIGHT = 10, DIGITS = 2;

/** What the colors are. */
export interface ColorKey {
  /** Quantity and unit. */
  title: string;
  /** Ends of the scale; `least` is 0 where nothing is negative. */
  least: number;
  most: number;
  /** Opacity of the fill at the end that is furthest from 0. */
  strongest: number;
  /** Pixels that its title may take. */
  width: number;
}

/** Pixels that Vega takes a letter of a title for, where it cannot measure one. */
const LETTER = 9.6;

/** A text in lines of at most N letters, except for longer words. */
function lines(text: string, letters: number): string[] {
  const found: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${found.at(-1)} ${word}`;
    if (found.length > 0 && longer.length <= letters) found[found.length - 1] = longer;
    else found.push(word);
  }
  return found;
}

/**
 * A bar from the lowest to the highest number, in the colors and strengths of the cells.
 * @param key Its ends, and what they are.
 * @param theme The colors: the first of its series for negative numbers, the second for positive ones.
 * @returns A part of a Vega-Lite spec, to stand in a `vconcat`.
 */
export function colorKey({ title, least, most, strongest, width }: ColorKey, theme: Theme) {
  const largest = Math.max(Math.abs(least), Math.abs(most), 1e-9), step = (most - least) / BLOCKS;
  const blocks = Array.from({ length: BLOCKS }, (_, i) => {
    const middle = least + (i + 0.5) * step;
    return {
      from: i * LENGTH / BLOCKS,
      to: (i + 1) * LENGTH / BLOCKS,
      strength: strongest * Math.abs(middle) / largest,
      sign: middle < 0 ? "negative" : "positive",
    };
  });
  const written = (value: number) => String(Number(value.toPrecision(DIGITS))).replace("-", "−");
  const zero = least < 0 && most > 0 ? [{ at: -least / (most - least) * LENGTH, text: "0" }] : [];
  const labels = [{ at: 0, text: written(least) }, ...zero, { at: LENGTH, text: written(most) }];
  const scale = { domain: [0, LENGTH], nice: false, zero: false };
  const axis = null;
  return {
    title: {
      text: lines(title, Math.floor(width / LETTER)),
      color: theme.muted,
      fontSize: 12,
      fontWeight: "normal" as const,
      anchor: "start" as const,
      offset: 6,
    },
    width: LENGTH,
    height: HEIGHT + 14,
    layer: [
      {
        data: { values: blocks },
        mark: { type: "rect" as const, aria: false },
        encoding: {
          x: { field: "from", type: "quantitative" as const, scale, axis },
          x2: { field: "to" },
          y: { value: 0 },
          y2: { value: HEIGHT },
          fill: {
            field: "sign",
            type: "nominal" as const,
            legend: null,
            scale: { domain: ["negative", "positive"], range: [theme.series[0], theme.series[1]] },
          },
          fillOpacity: { field: "strength", type: "quantitative" as const, legend: null, scale: null },
        },
      },
      {
        data: { values: labels },
        mark: {
          type: "text" as const,
          aria: false,
          fontSize: 11,
          baseline: "top" as const,
          color: theme.muted,
        },
        encoding: {
          x: { field: "at", type: "quantitative" as const, scale, axis },
          y: { value: HEIGHT + 4 },
          text: { field: "text", type: "nominal" as const },
        },
      },
    ],
  };
}
