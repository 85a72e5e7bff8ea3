import { type Html, html, rawHtml } from "./html.ts";
import type { Claim, Verdict } from "./results.ts";

/**
 * Paragraphs of plain text.
 * @param paragraphs One string each.
 */
export function text(...paragraphs: string[]): Html {
  return html`${paragraphs.map((paragraph) => html`<p>${paragraph}</p>\n`)}`;
}

/**
 * Bodies of which one is shown at a time; radio buttons choose, without a script.
 * @param label What they are, of the whole page's only one.
 * @param parts One each: its button, a sentence that is shown with it, and the body.
 */
export function alternatives(
  label: string,
  parts: readonly { name: string; note: string; body: Html }[],
): Html {
  const id = `choice-${label.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  const buttons = parts.map(({ name }, i) =>
    html`
      <label><input type="radio" name="${id}" value="${i}"${rawHtml(
        i === 0 ? " checked" : "",
      )}> ${name}</label>
    `
  );
  const bodies = parts.map(({ note, body }) =>
    html`
      <div class="alternative"><p>${note}</p>${body}</div>
    `
  );
  return html`
    <div class="alternatives"><fieldset><legend>${label}</legend>${buttons}</fieldset>${bodies}</div>
  `;
}

/** A table of results; numbers stand at the right, one below the other. */
export interface Table {
  /** Above the table. */
  caption: string;
  /** Their names. */
  columns: readonly string[];
  /** The first cell names its row; `digits` applies to the numbers. */
  rows: readonly (readonly (string | number)[])[];
  /** Digits after the point, 3 if not given; none in a column of whole numbers. */
  digits?: number;
}

/**
 * A table that scrolls inside itself where the page is narrow.
 * @param table Caption, column names and rows.
 * @throws RangeError `Row 2 of the table "…" has 3 cells, expected 4.`
 */
export function table({ caption, columns, rows, digits = 3 }: Table): Html {
  rows.forEach((row, i) => {
    if (row.length === columns.length) return;
    throw new RangeError(
      `Row ${i + 1} of the table "${caption}" has ${row.length} cells, expected ${columns.length}.`,
    );
  });
  const isNumeric = columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === "number"));
  // Numbers of a column that has a fraction all show as many digits.
  const hasFraction = columns.map((_, i) =>
    rows.some(({ [i]: cell }) => typeof cell === "number" && !Number.isInteger(cell))
  );
  const kind = (i: number) => rawHtml(isNumeric[i] ? ' class="number"' : "");
  const head = columns.map((column, i) =>
    html`
      <th scope="col" ${kind(i)}>${column}</th>
    `
  );
  const body = rows.map((row) => {
    const cells = row.map((cell, i) => {
      const shown = typeof cell === "number" ? formatNumber(cell, digits, !hasFraction[i]) : cell;
      return i === 0
        ? html`
          <th scope="row" ${kind(i)}>${shown}</th>
        `
        : html`<td${kind(i)}>${shown}</td>`;
    });
    return html`<tr>${cells}</tr>\n`;
  });
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table class="numbers">
        <caption>${caption}</caption>
        <thead>
          <tr>${head}</tr>
        </thead>
        <tbody>
    ${body}</tbody>
      </table>
    </div>
  `;
}

/**
 * Writes a number for a table.
 * @param value A finite number.
 * @param digits Digits after the point; numbers too small for them are written as powers of ten.
 * @param wholeAlone Whether whole numbers are written without a point.
 * @throws RangeError `A table was given NaN …`
 */
export function formatNumber(value: number, digits: number, wholeAlone = true): string {
  if (!Number.isFinite(value)) {
    throw new RangeError(`A table was given ${value}: leave out what cannot be computed and say why.`);
  }
  const tooSmall = value !== 0 && Math.abs(value) < 0.5 * 10 ** -digits;
  if (tooSmall) return value.toExponential(1).replace("-", "−").replace("e-", "e−");
  const shown = value.toLocaleString("en-US", {
    minimumFractionDigits: wholeAlone && Number.isInteger(value) ? 0 : digits,
    maximumFractionDigits: digits,
  });
  return shown.replace("-", "−");
}

/** A chart or picture with what it shows in words. */
export interface Figure {
  /** SVG of a chart for columns, and the same chart for phones; or a picture as a data URI. */
  image: { svg: string; narrowSvg?: string } | { dataUri: string };
  /** Below the image. */
  caption: string;
  /** What the image says, for those who do not see it. */
  alt: string;
  /** Unique on the page; names the figure's file and its place in the page, `#figure-<name>`. */
  name?: string;
}

/**
 * A figure with its caption.
 * @param figure The image, caption, alternative text and name.
 * @throws TypeError `A figure's picture must be a data:image URI …`
 */
export function figure({ image, caption, alt, name }: Figure): Html {
  const id = name === undefined ? "" : ` id="figure-${name.replaceAll(/[^\w.-]+/g, "-")}"`;
  return html`
    <figure${rawHtml(id)}>
    ${"svg" in image ? drawing(image, alt) : picture(image.dataUri, alt)}
    <figcaption>${caption}</figcaption>
    </figure>
  `;
}

function drawing({ svg, narrowSvg }: { svg: string; narrowSvg?: string }, alt: string): Html {
  const part = (kind: string, markup: string) =>
    html`<div class="${kind}" role="group" aria-label="${alt}">${rawHtml(markup)}</div>`;
  return html`<div>${part("wide", svg)}${narrowSvg ? part("narrow", narrowSvg) : ""}</div>`;
}

function picture(dataUri: string, alt: string): Html {
  checkPicture(dataUri);
  return html`<img src="${dataUri}" alt="${alt}">`;
}

/**
 * Checks that a picture is inside the page, and not fetched from elsewhere.
 * @throws TypeError `A figure's picture must be a data:image URI …`
 */
export function checkPicture(dataUri: string): void {
  if (/^data:image\/(png|jpeg|webp|svg\+xml)[;,]/.test(dataUri)) return;
  throw new TypeError(`A figure's picture must be a data:image URI, found "${dataUri.slice(0, 40)}".`);
}

/** A sign for each verdict, so that color is not all that tells them apart. */
export const VERDICT_MARKS: Readonly<Record<Verdict, string>> = {
  "shown": "✓",
  "not shown": "✕",
  "not testable": "–",
};

/**
 * A claim of the paper beside what was measured, with the verdict and the statistic behind it.
 * @param claim As in results.json.
 */
export function claimBox({ id, paper, measured, statistic, n, p, verdict }: Claim): Html {
  const chance = p === undefined ? "" : `, p = ${formatNumber(p, 3)}`;
  return html`
    <div class="claim" id="claim-${id}">
      <p class="verdict ${verdict.replace(" ", "-")}">${VERDICT_MARKS[verdict]} ${verdict}</p>
      <dl>
        <div>
          <dt>The paper says</dt>
          <dd>${paper}</dd>
        </div>
        <div>
          <dt>We measured</dt>
          <dd>${measured}</dd>
        </div>
      </dl>
      <p class="statistic">${statistic} (n = ${n}${chance})</p>
    </div>
  `;
}

/**
 * Settings by name.
 * @param settings Name and value, in the order to show.
 */
export function settingsList(settings: Readonly<Record<string, string | number>>): Html {
  const entries = Object.entries(settings).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`);
  return html`<dl class="settings">${entries}</dl>\n`;
}

/**
 * A command to type.
 * @param line The command.
 */
export function commandLine(line: string): Html {
  return html`<pre tabindex="0"><code>${line}</code></pre>\n`;
}
