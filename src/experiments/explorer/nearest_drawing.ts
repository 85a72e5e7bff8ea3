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

const SIDE = 160, GAP = 12, HEADING = 42, LINE = 15;
/** Letters of a line that fit below a photograph, and pixels of one. */
const LETTERS = 27, LETTER = 6;
/** Pixels of the drawing at least. */
const MIN_WIDTH = 3 * (SIDE + GAP) - GAP;

/**
 * Photographs beside each other, each with a framed patch and lines below it.
 *
 * @param title above them
 * @param to which pixel they are near to, below the title
 * @param nearest in their order
 * @param grid patches of a photograph
 * @returns SVG with a viewBox
 */
export function nearestDrawing(
  title: string,
  to: string,
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
        escapeHtml(shortened(line, LETTERS))
      }</text>`
    );
    return `<image x="${left}" y="${HEADING}" width="${SIDE}" height="${
      high.toFixed(1)
    }" preserveAspectRatio="none" href="${escapeHtml(photo)}"/>${frame("#000000", 5)}${
      frame("#ffffff", 2)
    }<g font-size="11" fill="var(--muted)">${texts.join("")}</g>`;
  });
  const width = Math.max(MIN_WIDTH, nearest.length * (SIDE + GAP) - GAP);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
    Math.ceil(HEADING + high + LINE * most + 6)
  }"><text y="15" font-size="13" fill="var(--ink)">${
    escapeHtml(title)
  }</text><text y="32" font-size="11" fill="var(--muted)">${
    escapeHtml(shortened(to, width / LETTER))
  }</text>${parts.join("")}</svg>`;
}

/** A text of at most N letters. */
export function shortened(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, Math.floor(letters) - 1)}…` : text;
}
