import type { Config, TopLevelSpec } from "vega-lite";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { cachedDrawing } from "./drawing_cache.ts";
import { lightTheme, type Theme } from "./theme.ts";

const FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** This module; the versions of the packages belong to it. */
const DRAWING = "src/report/chart.ts";
/** A group of marks, axes and legends apart, with something in it. */
const DRAWN_MARK = /<g class="mark-\w+ role-mark[^>]*[^/]><(?!\/g)/;

/**
 * The house style of charts as a Vega-Lite config.
 * @param theme The colors.
 */
function chartConfig(theme: Theme): Config {
  return {
    background: "transparent",
    font: FONT,
    padding: 4,
    view: { stroke: null },
    axis: {
      domain: false,
      ticks: false,
      gridColor: theme.rule,
      labelColor: theme.muted,
      labelFontSize: 12,
      labelPadding: 6,
      titleColor: theme.muted,
      titleFontSize: 12,
      titleFontWeight: "normal",
      titlePadding: 8,
    },
    axisX: { grid: false, labelAngle: 0, labelFlush: false },
    axisY: { titleAngle: 0, titleAlign: "left", titleAnchor: "end", titleX: 0, titleY: -12 },
    legend: { disable: true },
    text: { color: theme.ink, fontSize: 12, font: FONT },
    rule: { color: theme.muted },
  };
}

/**
 * Renders a Vega-Lite chart in the house style as static SVG, which needs no script to be seen.
 * @param spec The chart; its marks and data only.
 * @param theme The colors; `pageTheme` in pages, `lightTheme` or `darkTheme` for files.
 * @param name Unique in the page; keeps the ids inside the SVG apart from those of other charts.
 * @returns `<svg …>` with a viewBox, as wide as its container allows; marks carry their numbers in `aria-label`.
 * @throws Error `The chart <name> has no marks …` when the spec draws no data.
 */
export async function renderChart(spec: TopLevelSpec, theme: Theme, name: string): Promise<string> {
  const config = chartConfig(theme);
  return await cachedDrawing([DRAWING], [name, config, spec], () => drawChart({ ...spec, config }, name));
}

/** The packages are loaded by the first chart that is drawn. */
async function drawChart(spec: TopLevelSpec, name: string): Promise<string> {
  const [{ parse, resetSVGDefIds, View }, { compile }] = await Promise.all([
    import("vega"),
    import("vega-lite"),
  ]);
  resetSVGDefIds();
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    const svg = await view.toSVG();
    if (!DRAWN_MARK.test(svg)) {
      throw new Error(`The chart ${name} has no marks: give it data, or leave the chart out and say why.`);
    }
    return svg
      .replaceAll(/\bid="(clip|gradient)/g, `id="${name}-$1`)
      .replaceAll(/url\(#(clip|gradient)/g, `url(#${name}-$1`);
  } finally {
    view.finalize();
  }
}

/**
 * Saves a chart's Vega-Lite spec with the house style, for editors and papers.
 * @param path Where to; ends in `.vl.json`.
 * @param spec The chart.
 */
export async function saveChartSpec(path: string, spec: TopLevelSpec): Promise<void> {
  const content = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    ...spec,
    config: chartConfig(lightTheme),
  };
  await writeFileAtomic(path, JSON.stringify(content, null, 2) + "\n");
}

/**
 * Checks that a chart is given real numbers.
 * @param name The chart, for the message.
 * @param values The numbers to draw.
 * @throws RangeError `The chart <name> was given NaN …`
 */
export function checkChartNumbers(name: string, values: Iterable<number>): void {
  for (const value of values) {
    if (!Number.isFinite(value)) {
      throw new RangeError(
        `The chart ${name} was given ${value}: leave out what cannot be computed and say why.`,
      );
    }
  }
}
