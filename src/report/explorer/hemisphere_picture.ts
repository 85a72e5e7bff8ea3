import { type Html, html, rawHtml } from "../html.ts";
import { extent } from "../extent.ts";
import type { SheetSide } from "./content.ts";

/** Width of the drawing, its margin, and room for the name. */
const WIDTH = 340, MARGIN = 14, HEADING = 20;

/** Draws one hemisphere of the cortical sheet: a dot a voxel, in the voxels' order, for the page's script to color. */
export function hemispherePicture({ name, places, labels }: SheetSide): Html {
  const [left, right] = extent(places.map(({ x }) => x)), [top, bottom] = extent(places.map(({ y }) => y));
  const width = right - left || 1, height = bottom - top || 1;
  const zoom = (WIDTH - 2 * MARGIN) / width;
  const x = (value: number) => (MARGIN + (value - left) * zoom).toFixed(1);
  const y = (value: number) => (HEADING + MARGIN + (value - top) * zoom).toFixed(1);
  const radius = Math.max(1, 0.56 * Math.sqrt(width * height / places.length) * zoom).toFixed(1);
  const dots = places.map((place) => `<circle cx="${x(place.x)}" cy="${y(place.y)}" r="${radius}"/>`);
  const names = labels.map((label) =>
    html`
      <text x="${x(label.x)}" y="${y(
        label.y,
      )}" dy="4" text-anchor="middle" paint-order="stroke" stroke="var(--page)"
        stroke-width="3" fill="var(--ink)">${label.text}</text>
    `
  );
  return html`
    <svg viewBox="0 0 ${WIDTH} ${Math.ceil(height * zoom + HEADING + 2 * MARGIN)}" role="img"
      aria-label="${name}, its voxels colored by activation"
      font-size="12"><text x="${WIDTH /
        2}" y="12" text-anchor="middle" fill="var(--muted)">${name}</text><g fill="var(--neutral)">${rawHtml(
          dots.join(""),
        )}</g>${names}</svg>
  `;
}
