/** Where counted things come from and go to, as ribbons between two columns. */
import { escapeHtml } from "../html.ts";

/** Flows of several kinds beside each other. */
export interface Flows {
  /** Names of the sources. */
  from: readonly string[];
  /** Names of the destinations. */
  to: readonly string[];
  /** One a kind: its name, and counts from (rows) and to (columns). */
  panels: readonly { title: string; counts: readonly (readonly number[])[] }[];
  /** What is counted, for labels: "patches". */
  unit: string;
  /** Sources with fewer are marked. */
  few: number;
  /** Panels in a line. */
  across: number;
}

const WIDTH = 320, HEIGHT = 300, HEADING = 30, BOTTOM = 12;
/** Where the columns stand, their width and the gaps between their blocks. */
const LEFT = 84, RIGHT = 196, BLOCK = 10, GAP = 8;
/** Ribbons of a smaller share of their source have no number. */
const LABELLED = 0.15;

/**
 * Draws flows: a block a source at the left, a block a destination at the right, as high as what is counted in them, and
 * between them ribbons in the color of the source. Larger ribbons have their share of the source written on them.
 *
 * @param flows Counts, whole numbers from 0 on.
 * @returns SVG with a viewBox, in the page's colors.
 */
export function flowsDrawing(flows: Flows): string {
  const { panels, across } = flows, down = HEIGHT + HEADING + BOTTOM;
  const parts = panels.map((panel, i) =>
    `<g transform="translate(${i % across * WIDTH} ${Math.floor(i / across) * down})">${
      panelOf(panel, flows)
    }</g>`
  );
  const [width, height] = [Math.min(across, panels.length) * WIDTH, Math.ceil(panels.length / across) * down];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">${
    parts.join("")
  }</svg>`;
}

function panelOf({ title, counts }: Flows["panels"][number], { from, to, unit, few }: Flows): string {
  const rows = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const columns = to.map((_, b) => counts.reduce((sum, row) => sum + row[b], 0));
  const total = rows.reduce((sum, count) => sum + count, 0);
  const heading = `<text y="16" font-size="14" fill="var(--ink)">${escapeHtml(title)}: ${total} ${
    escapeHtml(unit)
  }</text>`;
  if (total === 0) return heading;
  const gaps = (n: number) => (n - 1) * GAP;
  const scale = (HEIGHT - gaps(Math.max(from.length, to.length))) / total;
  const tops = (sizes: readonly number[]) => {
    let y = HEADING;
    return sizes.map((size) => {
      const own = y;
      if (size > 0) y += size * scale + GAP;
      return own;
    });
  };
  const [starts, ends] = [tops(rows), tops(columns)];
  const [leaving, arriving] = [[...starts], [...ends]];
  const ribbons: string[] = [], numbers: string[] = [];
  counts.forEach((row, a) =>
    row.forEach((count, b) => {
      if (count === 0) return;
      const height = count * scale, share = count / rows[a];
      const says = `${title}, ${from[a]} to ${to[b]}: ${count} of ${rows[a]} ${unit}, ${share.toFixed(2)}`;
      ribbons.push(ribbon(leaving[a], arriving[b], height, colorOf(a), says));
      if (share >= LABELLED && height >= 9) {
        const y = leaving[a] + height / 2 + 4;
        numbers.push(
          `<text x="${LEFT + BLOCK + 5}" y="${y.toFixed(1)}" font-size="11" fill="var(--ink)">${
            share.toFixed(2)
          }</text>`,
        );
      }
      leaving[a] += height;
      arriving[b] += height;
    })
  );
  const block = (x: number, y: number, size: number, color: string) =>
    size === 0
      ? ""
      : `<rect x="${x}" y="${y.toFixed(1)}" width="${BLOCK}" height="${
        Math.max(1, size * scale).toFixed(1)
      }" fill="${color}"/>`;
  const label = (x: number, y: number, size: number, anchor: string, words: string) =>
    size === 0
      ? ""
      : `<text x="${x}" y="${
        (y + size * scale / 2 + 4).toFixed(1)
      }" text-anchor="${anchor}" fill="var(--ink)">${escapeHtml(words)}</text>`;
  const blocks = [
    ...rows.map((size, a) =>
      block(LEFT, starts[a], size, colorOf(a)) +
      label(LEFT - 6, starts[a], size, "end", `${from[a]}: ${size}${size < few ? " (few)" : ""}`)
    ),
    ...columns.map((size, b) =>
      block(RIGHT, ends[b], size, "var(--muted)") +
      label(RIGHT + BLOCK + 6, ends[b], size, "start", `${to[b]}: ${size}`)
    ),
  ];
  return heading + ribbons.join("") + blocks.join("") + numbers.join("");
}

function ribbon(from: number, to: number, height: number, color: string, says: string): string {
  const [left, right] = [LEFT + BLOCK, RIGHT], middle = (left + right) / 2;
  const y = (value: number) => value.toFixed(1);
  return `<path d="M${left} ${y(from)}C${middle} ${y(from)} ${middle} ${y(to)} ${right} ${y(to)}V${
    y(to + height)
  }C${middle} ${y(to + height)} ${middle} ${y(from + height)} ${left} ${
    y(from + height)
  }Z" fill="${color}" fill-opacity="0.4"><title>${escapeHtml(says)}</title></path>`;
}

function colorOf(source: number): string {
  return `var(--series-${1 + source % 6})`;
}
