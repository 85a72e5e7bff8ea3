import { type Html, html, rawHtml } from "./html.ts";

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

/** Longer tables are folded. */
const MAX_OPEN_ROWS = 12;
/** Wider tables become one block a row on phones. */
const MAX_NARROW_COLUMNS = 3;
/** Letters of a row that fits into half of the page; those that a column's margin takes, and the first column at least. */
const MAX_HALF = 75, BETWEEN = 2, MIN_FIRST = 18;

/**
 * A table; folded with more than 12 rows, and with more than 3 columns one block a row where the page is narrow.
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
  const written = rows.map((row) =>
    row.map((cell, i) => typeof cell === "number" ? formatNumber(cell, digits, !hasFraction[i]) : cell)
  );
  const head = columns.map((column, i) =>
    html`
      <th scope="col" ${kind(i)}>${column}</th>
    `
  );
  const body = written.map((row) => {
    const cells = row.map((shown, i) =>
      i === 0
        ? html`
          <th scope="row" ${kind(i)}>${shown}</th>
        `
        : html`<td${kind(i)} data-label="${columns[i]}">${shown}</td>`
    );
    return html`<tr>${cells}</tr>\n`;
  });
  const stacks = rawHtml(columns.length > MAX_NARROW_COLUMNS ? " stacks" : "");
  const letters = columns.reduce(
    (sum, column, i) =>
      sum + BETWEEN +
      Math.max(i === 0 ? MIN_FIRST : 0, column.length, ...written.map(({ [i]: cell }) => cell.length)),
    0,
  );
  const half = rows.length <= MAX_OPEN_ROWS && letters <= MAX_HALF ? " half" : "";
  const drawn = html`
    <div class="scroll${rawHtml(half)}" tabindex="0" role="region" aria-label="${caption}">
      <table class="numbers${stacks}">
        <caption>${caption}</caption>
        <thead>
          <tr>${head}</tr>
        </thead>
        <tbody>
    ${body}</tbody>
      </table>
    </div>
  `;
  if (rows.length <= MAX_OPEN_ROWS) return drawn;
  return html`<details class="folded"><summary>${caption} (${rows.length} rows)</summary>${drawn}</details>\n`;
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
  const isBroad = "svg" in image && widthOf(image.svg) > MAX_COLUMN;
  return html`
    <figure${rawHtml(id + (isBroad ? ' class="broad"' : ""))}>
    ${"svg" in image ? drawing(image, alt) : picture(image.dataUri, alt)}
    <figcaption>${caption}</figcaption>
    </figure>
  `;
}

/** Pixels of a column of figures on a wide page; broader drawings have the whole width. */
const MAX_COLUMN = 720;

function widthOf(svg: string): number {
  return Number(/viewBox="[-\d.]+ [-\d.]+ ([\d.]+)/.exec(svg)?.[1] ?? 0);
}

function drawing({ svg, narrowSvg }: { svg: string; narrowSvg?: string }, alt: string): Html {
  const part = (kind: string, markup: string) =>
    html`<div class="${kind}" role="group" aria-label="${alt}">${rawHtml(markup)}</div>`;
  return html`<div>${part("wide", svg)}${narrowSvg ? part("narrow", narrowSvg) : ""}</div>`;
}

function picture(dataUri: string, alt: string): Html {
  checkPicture(dataUri);
  return html`<button type="button" class="enlarge"><img src="${dataUri}" alt="${alt}"></button>`;
}

/**
 * Checks that a picture is inside the page, and not fetched from elsewhere.
 * @throws TypeError `A figure's picture must be a data:image URI …`
 */
export function checkPicture(dataUri: string): void {
  if (/^data:image\/(png|jpeg|webp|svg\+xml)[;,]/.test(dataUri)) return;
  throw new TypeError(`A figure's picture must be a data:image URI, found "${dataUri.slice(0, 40)}".`);
}

/** Where one equation ends and the next begins. */
const NEXT_EQUATION = '<mo>,</mo><mspace width="1em"/>';

/**
 * Equations beside each other; where the page is narrow, one below the other.
 * @param equation MathML.
 * @param label What it is.
 */
export function equationBlock({ markup }: Html, label = "Equation"): Html {
  const parts = rawHtml(markup.replaceAll(NEXT_EQUATION, '<mo>,</mo></math> <math display="block">'));
  return html`<div class="equation" tabindex="0" role="region" aria-label="${label}">${parts}</div>\n`;
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

/**
 * What colors of pictures stand for.
 * @param entries Names and colors: red, green and blue from 0 to 255.
 * @param title What they are, where a page has several.
 */
export function colorLegend(
  entries: readonly { name: string; color: readonly number[] }[],
  title?: string,
): Html {
  const items = entries.map(({ name, color }) =>
    html`
      <span class="swatch"><span aria-hidden="true" style="background: rgb(${color.join(
        " ",
      )})"></span> ${name}</span>
    `
  );
  return html`<p class="colors-key">${title === undefined ? "" : html`<span>${title}:</span>`}${items}</p>\n`;
}

/**
 * Links to the parts of a page.
 * @param parts Their headings and ids, in their order.
 */
export function contents(parts: readonly { heading: string; id: string }[]): Html {
  const items = parts.map(({ heading, id }) => html`<li><a href="#${id}">${heading}</a></li>\n`);
  return html`
    <nav class="contents" aria-label="On this page">
      <ul>${items}</ul>
    </nav>
  `;
}
