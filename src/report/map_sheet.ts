/** Color maps of few images as one drawing, layers across. */
import { checkPicture } from "./blocks.ts";
import { escapeHtml } from "./html.ts";

/** Blocks of maps, one below the other. */
export interface MapSheet {
  /** A photograph in front of its rows of maps, all of them data URIs. */
  blocks: readonly {
    photo: string;
    rows: readonly { label: string; maps: readonly { name: string; picture: string }[] }[];
  }[];
  /** Maps in a line; a row with more of them goes on in the next line. */
  across: number;
  /** Pixels of a map and of a photograph. */
  side: number;
}

const GAP = 3, TEXT = 18;

/**
 * Draws a sheet, each row and each map with its name above it.
 * @param sheet Pictures and names.
 * @returns SVG with a viewBox.
 * @throws TypeError `A figure's picture must be a data:image URI …`
 */
export function mapSheet({ blocks, across, side }: MapSheet): string {
  const parts: string[] = [], step = side + GAP;
  const draw = (source: string, x: number, y: number, title: string) => {
    checkPicture(source);
    const crisp = source.startsWith("data:image/png") ? ' style="image-rendering: pixelated"' : "";
    parts.push(
      `<image x="${x}" y="${y}" width="${side}" height="${side}" preserveAspectRatio="none"${crisp} href="${
        escapeHtml(source)
      }"><title>${escapeHtml(title)}</title></image>`,
    );
  };
  const write = (text: string, x: number, y: number, color: string) =>
    parts.push(`<text x="${x}" y="${y}" font-size="12" fill="var(--${color})">${escapeHtml(text)}</text>`);
  let top = 0;
  for (const { photo, rows } of blocks) {
    draw(photo, 0, top + 2 * TEXT, "image");
    for (const { label, maps } of rows) {
      write(label, step, top + TEXT - 5, "ink");
      maps.forEach(({ name, picture }, i) => {
        const x = (1 + i % across) * step, y = top + Math.floor(i / across) * (step + TEXT) + 2 * TEXT;
        write(name, x, y - 5, "muted");
        draw(picture, x, y, `${label} ${name}`);
      });
      top += Math.ceil(maps.length / across) * (step + TEXT) + TEXT;
    }
    top += 2 * GAP;
  }
  const width = (across + 1) * step - GAP;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}">${
    parts.join("")
  }</svg>`;
}
