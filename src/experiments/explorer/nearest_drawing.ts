/** The explorer's strip of nearest pixels as a drawing, for files. */
import { escapeHtml } from "../../report/html.ts";

/** One photograph of the strip. */
export interface NearestPixel {
  /** A data URI. */
  photo: string;
  /** Which patch is framed, row by row. */
  patch: number;
  /** Below the photograph. */
  lines: readonly string[];
}

const SIDE = 160, GAP = 12, HEADING = 26, LINE = 15;
/** Letters of a line that fit below a photograph. */
const LETTERS = 27;

/**
 * Photographs beside each other, each with a framed patch and lines below it.
 *
 * @param title above them
 * @param nearest in their order
 * @param grid patches of a photograph
 * @returns SVG with a viewBox
 */
export function nearestDrawing(
  title: string,
  nearest: readonly NearestPixel[],
  { rows, cols }: { rows: number; cols: number },
): string {
  const high = SIDE * rows / cols,
    cell = SIDE / cols,
    most = Math.max(...nearest.map(({ lines }) => lines.length));
  const parts = nearest.map(({ photo, patch, lines }, i) => {
    const left = i * (SIDE + GAP), x = (left + patch % cols * cell).toFixed(1);
    const y = (HEADING + Math.floor(patch / cols) * cell).toFixed(1);
    const frame = (color: string, width: number) =>
      `<rect x="${x}" y="${y}" width="${cell.toFixed(1)}" height="${
        cell.toFixed(1)
      }" fill="none" stroke="${color}" stroke-width="${width}"/>`;
    const texts = lines.map((line, k) =>
      `<text x="${left}" y="${(HEADING + high + LINE * (k + 1)).toFixed(1)}">${
        escapeHtml(line.length > LETTERS ? `${line.slice(0, LETTERS - 1)}…` : line)
      }</text>`
    );
    return `<image x="${left}" y="${HEADING}" width="${SIDE}" height="${
      high.toFixed(1)
    }" preserveAspectRatio="none" href="${escapeHtml(photo)}"/>${frame("#000000", 5)}${
      frame("#ffffff", 2)
    }<g font-size="11" fill="var(--muted)">${texts.join("")}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${nearest.length * (SIDE + GAP) - GAP} ${
    Math.ceil(HEADING + high + LINE * most + 6)
  }"><text y="15" font-size="13" fill="var(--ink)">${escapeHtml(title)}</text>${parts.join("")}</svg>`;
}
