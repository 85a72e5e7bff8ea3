import { checkPicture } from "./blocks.ts";
import { type Html, html } from "./html.ts";

/** Color maps of images (rows) by layer (columns). */
export interface ColorGrid {
  /** What the grid shows, for screen readers. */
  label: string;
  /** Head of the column of photographs, "image" if not given. */
  corner?: string;
  /** Their heads. */
  columns: readonly string[];
  /** `photo` and `cells` are PNG data URIs; one cell a column. */
  rows: readonly { label: string; photo: string; cells: readonly string[] }[];
}

/**
 * A grid of color maps beside the photographs, which stay in view when the grid scrolls sideways. Pointer, focus
 * and arrow keys show image, layer and an enlarged map (by the page's script).
 * @param grid Labels and pictures.
 * @throws RangeError `The row horse.png of the color grid has 11 maps, expected 12.`
 */
export function colorGrid({ label, corner = "image", columns, rows }: ColorGrid): Html {
  const body = rows.map((row, i) => {
    if (row.cells.length !== columns.length) {
      throw new RangeError(
        `The row ${row.label} of the color grid has ${row.cells.length} maps, expected ${columns.length}.`,
      );
    }
    [row.photo, ...row.cells].forEach(checkPicture);
    const cells = row.cells.map((map, j) =>
      html`<td><img src="${map}" alt="${row.label} · ${columns[j]}" tabindex="${
        i === 0 && j === 0 ? 0 : -1
      }"></td>`
    );
    return html`<tr><th scope="row"><img src="${row.photo}" alt=""><span title="${row.label}">${row.label}</span></th>${cells}</tr>\n`;
  });
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${label}">
      <table class="color-grid">
        <thead>
          <tr><th scope="col">${corner}</th>${columns.map((column) =>
            html`<th scope="col">${column}</th>`
          )}</tr>
        </thead>
        <tbody>
    ${body}</tbody>
      </table>
    </div>
  `;
}
