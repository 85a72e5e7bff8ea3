/** The showcase's page: one file with photographs, maps and the script that works with them. */
import { checkPicture } from "../blocks.ts";
import { type Html, html, rawHtml } from "../html.ts";
import type { Page } from "../page.ts";
import { dataBlock, jsonBlock, renderScriptPage } from "../script_page.ts";
import { pngDataUri } from "../tiny_png.ts";
import type { ShowcaseContent, ShownPhoto } from "./content.ts";
import style from "./showcase.css" with { type: "text" };

/** What the page says beside its content. */
export interface ShowcaseText extends Pick<Page, "question" | "data" | "settings" | "command"> {
  /** One sentence below the question. */
  lead: string;
  /** How, paragraph by paragraph. */
  method: readonly string[];
  /** Numbers of the layers. */
  numbers: Html;
}

const SCRIPT = new URL("./showcase.js", import.meta.url);
/** Layers in the overview; the title in the index. */
const OVERVIEW = 6, TITLE = "Showcase";

/**
 * Renders the showcase, see `renderScriptPage`.
 *
 * @throws TypeError when a photo is no data URI
 */
export async function renderShowcase(content: ShowcaseContent, text: ShowcaseText): Promise<string> {
  content.photos.forEach(({ photo }) => checkPicture(photo));
  return await renderScriptPage({
    ...text,
    title: TITLE,
    noScript: "The controls need JavaScript; without it, the page shows one layer and an overview.",
    skip: { id: "board", name: "photographs" },
    style,
    script: SCRIPT,
    body: [controls(content), board(content), overview(content), credits(content.photos)],
    method: [...text.method.map((paragraph) => html`<p>${paragraph}</p>`), text.numbers],
    footer:
      html`Nothing is loaded and nothing is sent. Every number on this page is in <code>results.json</code> beside it.`,
    end: [enlarged(content), payload(content)],
  });
}

function controls({ layers, first, spots }: ShowcaseContent): Html {
  return html`
    <form id="controls" aria-label="What to look at" autocomplete="off">
      <button type="button" id="play"
        aria-pressed="false"><span aria-hidden="true">▶</span> <span>Play</span></button>
      <label class="layer"><span>Layer <output id="layer-number">${layers[first]}</output> of ${layers.at(
        -1,
      )!}</span>
        <input id="layer" type="range" min="0" max="${layers.length - 1}" value="${first}"></label>
      <fieldset>
        <legend>Maps</legend>
        <label><input type="radio" name="maps" value="colors" checked><span>Colors</span></label>
        <label><input type="radio" name="maps" value="contrast"><span>Contrast</span></label>
        <label><input type="radio" name="maps" value="segments"><span>Segments</span></label>
      </fieldset>
      ${spots.length === 0 ? "" : html`<p id="spots">Similar to ${
        spots.map(({ name }, i) =>
          html`
            <button type="button" value="${i}" aria-pressed="false">${name}</button>
          `
        )
      }</p>`}
      <p id="status" role="status">Point at a spot in a photograph to highlight similar ones in all of them.</p>
    </form>
  `;
}

/** The picture of one photograph's map in a layer. */
function mapPicture({ colors, photos, map }: ShowcaseContent, layer: number, photo: number): string {
  const cells = map.rows * map.cols, from = 3 * cells * (layer * photos.length + photo);
  return pngDataUri(map.cols, map.rows, colors.subarray(from, from + 3 * cells));
}

function board(content: ShowcaseContent): Html {
  const { map, photos, first, opening } = content;
  const size = rawHtml(`width="${map.cols}" height="${map.rows}"`);
  const cards = photos.map(({ title, photo, credit }, i) =>
    html`
      <figure class="card">
        <div class="pair">
          <div class="photo" tabindex="0" role="application" aria-roledescription="spot picker"
            aria-label="${title}: point at a spot, or move it with the arrow keys"><img src="${photo}" alt="${title}"><span class="marker" hidden></span></div>
          <button type="button" class="map" value="${i}"
            aria-label="Enlarge ${title}"><img class="under" src="${photo}" alt=""><img class="still" src="${mapPicture(
              content,
              first,
              i,
            )}" alt=""><canvas ${size} hidden></canvas></button>
        </div>
        <figcaption>${title}${credit
          ? html`
            <span>${credit.author}, ${credit.license}</span>
          `
          : ""}</figcaption>
      </figure>
    `
  );
  return html`
    <p id="opening">${opening}</p>
    <p class="bar" id="shades"
      hidden><span>cosine with the spot:</span> <span></span> <span class="colors" role="img" aria-label="from dark to the photograph as it is"></span> <span></span></p>
    <section id="board" aria-label="Photographs and their maps">${cards}</section>
  `;
}

/** Photographs by some layers, evenly spread, the last one among them. */
function overview(content: ShowcaseContent): Html {
  const { photos, layers } = content, count = Math.min(OVERVIEW, layers.length);
  const shown = Array.from({ length: count }, (_, i) => Math.round((i + 1) * layers.length / count) - 1);
  const rows = photos.map(({ title, photo }, i) =>
    html`
      <tr><th scope="row"><img src="${photo}" alt="${title}"></th>${shown.map((layer) =>
        html`<td><button type="button" class="small" value="${i}" data-layer="${layer}" aria-label="Enlarge ${title}, layer ${
          layers[layer]
        }"><img src="${mapPicture(content, layer, i)}" alt=""></button></td>`
      )}</tr>
    `
  );
  return html`
    <section aria-labelledby="layers" class="wide">
      <h2 id="layers">Layer by layer</h2>
      <p>The same photographs from early to late layers. Within a column, similar colors belong together across photographs.</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Color maps by photograph and layer">
        <table class="overview">
          <thead>
            <tr><th scope="col"><span class="hidden">photograph</span></th>${shown.map((layer) =>
              html`<th scope="col">layer ${layers[layer]}</th>`
            )}</tr>
          </thead>
          <tbody>${rows}</tbody>
        </table>
      </div>
    </section>
  `;
}

function credits(photos: ShownPhoto[]): Html {
  if (photos.every(({ credit }) => credit === undefined)) return html``;
  const rows = photos.map(({ title, credit }) => {
    if (!credit) {
      return html`
        <tr>
          <th scope="row">${title}</th>
          <td data-label="author"></td>
          <td data-label="license"></td>
          <td data-label="source"></td>
        </tr>
      `;
    }
    const { author, license, licenseUrl, source } = credit;
    const shown = licenseUrl ? html`<a href="${licenseUrl}">${license}</a>` : html`${license}`;
    return html`
      <tr>
        <th scope="row">${title}</th>
        <td data-label="author">${author}</td>
        <td data-label="license">${shown}</td>
        <td data-label="source">${source}</td>
      </tr>
    `;
  });
  return html`
    <section aria-labelledby="credits">
      <h2 id="credits">Photographs</h2>
      <p>Cropped to squares, otherwise unchanged; the maps are computed from them.</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Authors and licenses">
        <table class="numbers stacks">
          <thead>
            <tr>
              <th scope="col">photograph</th>
              <th scope="col">author</th>
              <th scope="col">license</th>
              <th scope="col">source</th>
            </tr>
          </thead>
          <tbody>${rows}</tbody>
        </table>
      </div>
    </section>
  `;
}

function enlarged({ layers, map }: ShowcaseContent): Html {
  const size = rawHtml(`width="${map.cols}" height="${map.rows}"`);
  const strip = layers.map((layer, i) =>
    html`<button type="button" value="${i}"><canvas ${size}></canvas><span>${layer}</span></button>`
  );
  return html`
    <dialog id="enlarged" aria-labelledby="enlarged-title">
      <div
        class="bar"><h2 id="enlarged-title">Photograph</h2><button type="button" id="close" aria-label="Close">✕</button></div>
      <div class="large"><img alt=""><canvas ${size} role="img" aria-label="Its map"></canvas></div>
      <div class="strip" role="group" aria-label="Layers">${strip}</div>
    </dialog>
  `;
}

/** Data blocks, which no browser runs; `<` cannot close them early. */
function payload(content: ShowcaseContent): Html {
  const { photos, map, layers, spots, segmentCount, components, colors, segments, directions } = content;
  const titles = photos.map(({ title }) => title);
  return html`${jsonBlock({ titles, map, layers, spots, segmentCount, components })}${
    dataBlock("colors", colors)
  }${dataBlock("segments", segments)}${dataBlock("directions", directions)}`;
}
