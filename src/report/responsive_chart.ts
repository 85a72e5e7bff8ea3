/** A chart for columns and for phones, with its spec saved beside the page. */
import { figure } from "./blocks.ts";
import { renderChart, saveChartSpec } from "./chart.ts";
import { type LineByLayerChart, lineByLayerChart } from "./charts/line_by_layer.ts";
import type { Html } from "./html.ts";
import { lightTheme, pageTheme, type Theme } from "./theme.ts";

const WIDE = 640, NARROW = 320;

/**
 * Renders a chart twice, wide and narrow, and saves `<name>.vl.json` in light colors.
 *
 * @param name of the spec's file, unique on the page
 * @param out folder of the page
 * @param caption also the alternative text
 * @param spec the Vega-Lite spec for one width in pixels
 * @returns a figure that shows the one that fits
 */
export async function responsiveChart(
  name: string,
  out: string,
  caption: string,
  spec: (theme: Theme, width: number) => Parameters<typeof renderChart>[0],
): Promise<Html> {
  await saveChartSpec(`${out}/${name}.vl.json`, spec(lightTheme, WIDE));
  return figure({
    image: {
      svg: await renderChart(spec(pageTheme, WIDE), pageTheme, name),
      narrowSvg: await renderChart(spec(pageTheme, NARROW), pageTheme, `${name}-narrow`),
    },
    caption,
    alt: caption,
    name,
  });
}

/** The same of one metric by layer. */
export function lineByLayerFigure(
  name: string,
  out: string,
  caption: string,
  chart: Omit<LineByLayerChart, "width">,
): Promise<Html> {
  return responsiveChart(name, out, caption, (theme, width) => lineByLayerChart({ ...chart, width }, theme));
}
