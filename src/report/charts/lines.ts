import type { TopLevelSpec } from "vega-lite";
import { checkChartNumbers } from "../chart.ts";
import { colorBy, leftText } from "./encodings.ts";
import { freePlace } from "./free_place.ts";
import { spreadLabels } from "./spread_labels.ts";

/** One line of a chart: a value at each step of the x axis. */
export interface Line {
  label: string;
  values: readonly number[];
  /** Low and high end of each value's interval, drawn as an upright bar. */
  intervals?: readonly (readonly [low: number, high: number])[];
  color: string;
}

/** What a chart of labelled lines shows. */
export interface LinesChart {
  /** What the chart is called in messages and by screen readers. */
  name: string;
  /** Title of the y axis, with its unit. */
  yTitle: string;
  xTitle: string;
  /** Names of the steps of the x axis, in order. */
  steps: readonly string[];
  lines: readonly Line[];
  yScale: "linear" | "log";
  /** A value to compare with, drawn as a dashed rule. */
  rule?: { label: string; value: number };
  /** A range to compare with, drawn as a shaded band named at its upper edge. */
  band?: { label: string; low: number; high: number };
  /** Ink of the rule, the band and their labels. */
  ruleColor: string;
  /** Width of the whole chart in pixels: 680 in a column, 320 on a phone. */
  width: number;
}

const HEIGHT = 280;
const LABEL_GAP = 14;
/** Of the first step from the left and of the last from the right, in steps. */
const PADDING = 0.15;
/** Where a rule's label lies on no line: below the chart and its axis, behind a piece of the rule. */
const BELOW = { y: HEIGHT + 50, x: 34 };

/**
 * Lines with points over ordered steps, each named at its right end in its own color.
 * @param chart What to show; every number finite, and positive on a log scale.
 * @returns A Vega-Lite spec.
 * @throws RangeError `The chart <name> was given NaN …`, or when a log scale gets a number that is not positive.
 */
export function linesChart(chart: LinesChart): TopLevelSpec {
  const { name, lines, steps, rule, band, yScale } = chart;
  const numbers = [
    ...lines.flatMap((line) => [...line.values, ...(line.intervals ?? []).flat()]),
    ...(rule ? [rule.value] : []),
    ...(band ? [band.low, band.high] : []),
  ];
  checkChartNumbers(name, numbers);
  if (yScale === "log" && numbers.some((value) => value <= 0)) {
    throw new RangeError(
      `The chart ${name} has a log scale and was given ${Math.min(...numbers)}: use a linear one.`,
    );
  }
  const domain = domainOf(numbers, yScale);
  const labelWidth = 16 + 7 * Math.max(...lines.map((line) => line.label.length));
  const width = chart.width - labelWidth - 60;
  const toPixels = (value: number) => HEIGHT * (1 - position(value, domain, yScale));
  const ends = lines.map((line) => toPixels(line.values[line.values.length - 1]));
  const labels = spreadLabels(ends, LABEL_GAP, HEIGHT);

  const free = rule && freePlace(
    { y: toPixels(rule.value), width: 7 * rule.label.length, height: HEIGHT },
    lines.map(({ values, intervals }) =>
      values.map((value, i) => [value, ...intervals?.[i] ?? []].map(toPixels))
    ),
    width,
    PADDING,
  );

  const values = lines.flatMap((line) =>
    line.values.map((value, i) => ({ line: line.label, step: steps[i], value, note: noteOf(chart, line, i) }))
  );
  const bars = lines.flatMap((line) =>
    (line.intervals ?? []).map(([low, high], i) => ({ line: line.label, step: steps[i], low, high }))
  );
  const color = colorBy("line", lines.map((line) => line.label), lines.map((line) => line.color));
  const everyStep = steps.length * 26 <= width;
  const x = {
    field: "step",
    type: "ordinal" as const,
    sort: null,
    scale: { type: "point" as const, domain: [...steps], padding: PADDING },
    axis: {
      title: chart.xTitle,
      values: everyStep
        ? [...steps]
        : steps.filter((_, i) => i % Math.ceil((steps.length * 26) / width) === 0),
    },
  };
  const ticks = yScale === "log" ? logTicks(domain) : [];
  const y = {
    field: "value",
    type: "quantitative" as const,
    scale: { type: yScale, domain, nice: false },
    axis: {
      title: chart.yTitle,
      format: "~f",
      ...(ticks.length > 1 ? { values: ticks, labelOverlap: false } : { tickCount: 5 }),
    },
  };
  const endLabels = lines.flatMap((line, i) =>
    line.label === "" ? [] : [{ line: line.label, from: ends[i], to: labels[i] }]
  );
  const labelY = { field: "to", type: "quantitative" as const, scale: null, axis: null };

  return {
    width,
    height: HEIGHT,
    description: `${chart.yTitle} by ${chart.xTitle}`,
    layer: [
      ...(band
        ? [
          {
            data: { values: [band] },
            mark: { type: "rect" as const, aria: false, opacity: 0.12, color: chart.ruleColor },
            encoding: {
              x: { value: 0 },
              x2: { value: width },
              y: { ...y, field: "low" },
              y2: { field: "high" },
            },
          },
          {
            data: { values: [band] },
            mark: leftText({ dy: 10, color: chart.ruleColor }),
            encoding: { x: { value: 4 }, y: { ...y, field: "high" }, text: { field: "label" } },
          },
        ]
        : []),
      ...(rule
        ? [
          {
            data: { values: [{ value: rule.value }] },
            mark: { type: "rule" as const, aria: false, strokeDash: [4, 4], color: chart.ruleColor },
            encoding: { y },
          },
          {
            data: { values: [{ value: rule.value, label: rule.label }] },
            mark: leftText({ dy: free?.dy ?? 0, color: chart.ruleColor }),
            encoding: {
              y: free ? y : { value: BELOW.y },
              x: { value: free?.x ?? BELOW.x },
              text: { field: "label" },
            },
          },
          ...(free || rule.label === "" ? [] : [{
            data: { values: [{}] },
            mark: { type: "rule" as const, aria: false, strokeDash: [4, 4], color: chart.ruleColor },
            encoding: {
              x: { value: 0 },
              x2: { value: BELOW.x - 6 },
              y: { value: BELOW.y },
            },
          }]),
        ]
        : []),
      ...(bars.length > 0
        ? [{
          data: { values: bars },
          mark: { type: "rule" as const, aria: false, strokeWidth: 2, opacity: 0.35 },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
        }]
        : []),
      {
        data: { values },
        mark: { type: "line" as const, aria: false, strokeWidth: 2, strokeJoin: "round" as const },
        encoding: { x, y, color },
      },
      {
        data: { values },
        mark: { type: "point" as const, filled: true, size: 42, opacity: 1 },
        encoding: { x, y, color, description: { field: "note", type: "nominal" as const } },
      },
      {
        data: { values: endLabels },
        mark: { type: "rule" as const, aria: false, opacity: 0.5 },
        encoding: {
          x: { value: width + 2 },
          x2: { value: width + 12 },
          y: { field: "from", type: "quantitative" as const, scale: null, axis: null },
          y2: { field: "to" },
          color,
        },
      },
      {
        data: { values: endLabels },
        mark: leftText({ baseline: "middle", fontWeight: 600 }),
        encoding: { x: { value: width + 16 }, y: labelY, text: { field: "line" }, color },
      },
    ],
  };
}

function domainOf(numbers: readonly number[], scale: "linear" | "log"): [number, number] {
  const low = Math.min(...numbers), high = Math.max(...numbers);
  if (scale === "log") return [low * 0.85, high === low ? high * 1.2 : high * 1.1];
  const margin = 0.06 * (high - low || Math.abs(high) || 1);
  return [low >= 0 && low < 0.5 * high ? 0 : low - margin, high + margin];
}

/** 1, 2 and 5 times the powers of ten in a domain; over many decades the powers alone. */
function logTicks([low, high]: [number, number]): number[] {
  const first = Math.floor(Math.log10(low)), decades = Math.ceil(Math.log10(high)) - first;
  const steps = decades > 4 ? ["1"] : ["1", "2", "5"];
  const ticks = Array.from(
    { length: decades },
    (_, i) => steps.map((step) => Number(`${step}e${first + i}`)),
  );
  return ticks.flat().filter((tick) => tick >= low && tick <= high);
}

function position(value: number, [low, high]: [number, number], scale: "linear" | "log"): number {
  const at = (x: number) => scale === "log" ? Math.log(x) : x;
  return (at(value) - at(low)) / (at(high) - at(low));
}

function noteOf(chart: LinesChart, line: Line, i: number): string {
  const interval = line.intervals?.[i].map(formatValue).join(" to ");
  return `${line.label} · ${chart.xTitle} ${chart.steps[i]}: ${formatValue(line.values[i])}${
    interval ? ` (${interval})` : ""
  }`;
}

/**
 * Writes a chart's number with five significant digits.
 * @param value A finite number.
 */
export function formatValue(value: number): string {
  return String(Number(value.toPrecision(5)));
}
