/** The explorer's page: one file with all numbers, the shaders and the script that works with them. */
import { checkPicture } from "../blocks.ts";
import { type Html, html, rawHtml } from "../html.ts";
import { linkModules } from "./link_modules.ts";
import { renderScriptPage } from "../script_page.ts";
import answers from "./answers.css" with { type: "text" };
import maps from "./explorer.css" with { type: "text" };
import type { ExplorerContent } from "./content.ts";
import { GRADIENT } from "../cortex/surface_colors.ts";
import { hemispherePicture } from "./hemisphere_picture.ts";
import { payloadBlocks } from "./payload_blocks.ts";

/** What the page says beside its content. */
export interface ExplorerText {
  /** As of `Page`. */
  data?: string;
  /** How, in about three sentences. */
  method: string;
  settings: Readonly<Record<string, string | number>>;
  command: string;
}

const SCRIPT = new URL("./explorer.js", import.meta.url);
const EQUATION = rawHtml(
  `<math display="block"><msub><mi>s</mi><mi>i</mi></msub><mo>=</mo><mfrac><mrow><msub><mi>x</mi><mi>i</mi></msub><mo>·</mo><msub><mi>x</mi><mi>c</mi></msub></mrow><mrow><mo>‖</mo><msub><mi>x</mi><mi>i</mi></msub><mo>‖</mo><mo>‖</mo><msub><mi>x</mi><mi>c</mi></msub><mo>‖</mo></mrow></mfrac><mo>,</mo><mspace width="1em"/><mi>b</mi><mo>=</mo><munder><mo>∑</mo><mi>l</mi></munder><msubsup><mi>v</mi><mrow><mi>c</mi><mi>l</mi></mrow><mo>′</mo></msubsup><mi>β</mi></math>`,
);
const CUT_EQUATION = rawHtml(
  `<math display="block"><mi>W</mi><mo>=</mo><mo>(</mo><mn>1</mn><mo>−</mo><mi>w</mi><mo>)</mo><mi>M</mi><mo>+</mo><mi>w</mi><msub><mi>M</mi><mi>c</mi></msub><mo>,</mo><mspace width="1em"/><msub><mi>A</mi><mrow><mi>c</mi><mo>,</mo><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mi>exp</mi><mo>(</mo><mo>−</mo><mfrac><msup><mrow><mo>(</mo><msub><mi>c</mi><mi>i</mi></msub><mo>−</mo><msub><mi>c</mi><mi>j</mi></msub><mo>)</mo></mrow><mn>2</mn></msup><mrow><mn>2</mn><msup><mi>σ</mi><mn>2</mn></msup></mrow></mfrac><mo>)</mo><mo>,</mo><mspace width="1em"/><msub><mi>c</mi><mi>i</mi></msub><mo>=</mo><mi>n</mi><mo>(</mo><munder><mi>mean</mi><mrow><mi>f</mi><mo>∈</mo><mi>F</mi></mrow></munder><msub><mi>M</mi><mrow><mi>i</mi><mi>f</mi></mrow></msub><mo>−</mo><mi>ω</mi><munder><mi>mean</mi><mrow><mi>g</mi><mo>∈</mo><mi>G</mi></mrow></munder><msub><mi>M</mi><mrow><mi>i</mi><mi>g</mi></mrow></msub><mo>)</mo></math>`,
);
/** What a page with the explorer in it is made from; plain text, that a file can hold. */
export interface ExplorerParts {
  style: string;
  /** With nothing left to load. */
  script: string;
  /** What it shows. */
  body: Html;
  /** Its equations, and what computes them. */
  method: Html;
  /** Data blocks, and what lies over the page. */
  end: Html;
}

/** The explorer's own place in a page: id and name of what the first link leads to, and what there is without JavaScript. */
export const EXPLORER_PLACE = {
  noScript: "The explorer computes in the browser: allow this page its JavaScript.",
  skip: { id: "pixel", name: "pixel" },
};

/**
 * The explorer as parts of a page.
 *
 * @param isFolded whether the maps of every layer are folded
 * @throws TypeError when a photo is no data URI
 */
export async function explorerParts(content: ExplorerContent, isFolded = false): Promise<ExplorerParts> {
  content.images.forEach(({ photo }) => checkPicture(photo));
  const everywhere = overview(content), title = "Similar pixels everywhere";
  return {
    style: `${maps}\n${answers}`,
    script: await linkModules(SCRIPT),
    body: html`<div>${controls(content)}<div class="stage">${explorer(content)}${
      brain(content)
    }</div></div>${nearest()}${
      isFolded
        ? html`<details class="everywhere"><summary>${title}</summary>${everywhere}</details>`
        : html`<section aria-labelledby="everywhere"><h2 id="everywhere">${title}</h2>${everywhere}</section>`
    }`,
    method: html`
      <div class="equation" tabindex="0" role="region" aria-label="Equation">${EQUATION}</div>
      <p>${CUT}</p>
      <div class="equation" tabindex="0" role="region" aria-label="Equation of the cut">${CUT_EQUATION}</div>
      ${engine()}
    `,
    end: html`<div class="tip" id="tip" aria-hidden="true"></div>${payloadBlocks(content)}`,
  };
}

/**
 * Renders the explorer, see `renderScriptPage`.
 *
 * @throws TypeError when a photo is no data URI
 */
export async function renderExplorer(content: ExplorerContent, text: ExplorerText): Promise<string> {
  const { body, method, end, ...parts } = await explorerParts(content);
  return await renderScriptPage({
    ...text,
    ...parts,
    ...EXPLORER_PLACE,
    title: "Explorer",
    question:
      "Click a pixel: which pixels of every image, layer and model are similar to it, and which voxels does it activate?",
    body: [body],
    method: [html`<p>${text.method}</p>`, method],
    footer: html`Everything on this page is computed in it; nothing is loaded and nothing is sent.`,
    end: [end],
  });
}

function controls({ images, models, slots, opening }: ExplorerContent): Html {
  const { model } = slots[opening.slot], own = slots.filter((slot) => slot.model === model);
  return html`
    <form id="controls" aria-label="What to look at" autocomplete="off">
      <label>Image <select id="image">${options(images.map(({ name }) => name))}</select></label>
      <label>Model <select id="model">${options(models)}</select></label>
      <label><span>Layer <output id="layer-number">${slots[opening.slot].layer}</output></span>
        <input id="layer" type="range" min="1" max="${own.length}" value="1"></label>
      <label>A click
        <select id="clicks"><option value="pick">picks the pixel</option><option value="figure">marks figure</option><option value="ground">marks ground</option></select></label>
    </form>
  `;
}

/** What computes the answers, and how fast. */
function engine(): Html {
  return html`
    <label
      class="choice">Computed with <select id="engine"><option value="gpu">WebGPU</option><option value="host">JavaScript</option></select></label>
    <p id="computed"></p>
    <p id="engine-note"></p>
  `;
}

function options(names: readonly string[]): Html[] {
  return names.map((name, i) =>
    html`
      <option value="${i}">${name}</option>
    `
  );
}

/** What equal colors mean; as in `explorer.js`. */
const COLORINGS = { joint: "AlignedCut colors: equal ones belong together across images, layers and models" };
/** What the cut is. */
const CUT =
  "Clicks that mark figure (F) and ground (G) change the graph of the image's patches at the layer shown, after ncut-pytorch's click prompting: W mixes its normalized affinity M = D^−½ A D^−½, A = exp(cos(v′) − 1), with M_c, that of A_c; w = 0.9 (0 without marks), ω = 1, σ the standard deviation of c. The map is the second eigenvector of W over the first, parted where Ncut of W is smallest.";
/** Maps that can be laid over the photograph. */
const MAPS = {
  similarity: "similarity",
  colors: "colors",
  segments: "segments",
  vector: "eigenvector",
  cut: "figure and ground",
};

/** Segments first shown. */
const SEGMENTS = 10;

function explorer({ images, slots, opening, grid, segmentParents, eigenvectors }: ExplorerContent): Html {
  const size = rawHtml(`style="--columns: ${grid.cols}; --rows: ${grid.rows}"`);
  const tools = (name: string, what: string, own: Html | string) =>
    html`
      <div
        class="tools">${own}<button type="button" class="png" value="${name}" aria-label="Save ${what} as a PNG of 1,024 pixels">PNG</button></div>
    `;
  const panel = (
    name: keyof typeof MAPS,
    caption: string,
    own: Html | string = "",
    key: readonly [least: string, most: string] | null = null,
  ) =>
    html`
      <figure class="panel">
        <div class="map" data-map="${name}"
          ${size}><canvas width="${grid.cols}" height="${grid
            .rows}" role="img" aria-label="${caption}"></canvas></div>
        ${key === null ? "" : legend(...key)}
        <figcaption>${caption}</figcaption>
        ${tools(name, MAPS[name], own)}
      </figure>
    `;
  const range = (id: string, label: Html | string, min: number, max: number, value: number) =>
    html`
      <label><span>${label}</span><input id="${id}" type="range" min="${min}" max="${max}" value="${Math.min(
        value,
        max,
      )}"></label>
    `;
  const choice = html`<label>Over it <select id="over">${
    Object.entries(MAPS).map(([value, name]) =>
      html`
        <option value="${value}">${name}</option>
      `
    )
  }</select></label>`;
  const { cols } = eigenvectors, most = segmentParents.length, { model, layer } = slots[opening.slot];
  return html`
    <section id="explorer" aria-label="Maps of the image">
      <p id="opening">Opens on ${images[opening.image].name}, ${model} layer ${layer}: ${opening.reason}.</p>
      <div class="panels">
        <figure class="panel">
          <div class="map" id="pixel" data-map="photo" ${size} tabindex="0" role="application" aria-roledescription="pixel picker" aria-label="Pixel" aria-describedby="status keys"><img alt=""><canvas></canvas></div>
          <figcaption id="keys">The image. Click a pixel in any map, or move it here with the arrow keys; Enter clicks, F marks figure, G ground</figcaption>
          ${tools(
            "photo",
            "the photograph with its overlay",
            html`${choice}${range("opacity", "Overlay", 0, 100, 35)}`,
          )}
        </figure>
        ${panel(
          "similarity",
          "Similarity to the pixel pointed at, else to the clicked one",
          "",
          ["cosine −1", "1"],
        )}
        ${panel(
          "colors",
          COLORINGS.joint,
          html`<label>Colors <select id="coloring"><option value="joint">joint map</option><option value="within">within the layer</option></select></label>`,
        )}
        ${panel(
          "segments",
          "Segments over all images, layers and models, with borders",
          range(
            "segment-count",
            html`Segments <output id="segment-number"></output> of ${most}`,
            Math.min(2, most),
            most,
            SEGMENTS,
          ),
        )}
        ${panel(
          "vector",
          "The eigenvector chosen",
          range("vector", html`Eigenvector <output id="vector-number"></output> of ${cols}`, 1, cols, 2),
          ["− largest", "+ largest"],
        )}
        ${panel(
          "cut",
          "Figure and ground of this image",
          html`<button type="button" id="clear">Clear marks</button>`,
          ["ground", "figure"],
        )}
      </div>
      <p id="status" role="status">Computing …</p>
      <p id="address-note" role="status"></p>
    </section>
  `;
}

function nearest(): Html {
  return html`
    <section aria-labelledby="nearest-title">
      <h2 id="nearest-title">Nearest pixels of other images</h2>
      <p>Of every other image the pixel most similar to the clicked one, at any layer of any model; the most similar image first.</p>
      <ol id="nearest"></ol>
    </section>
  `;
}

function legend(least: string, most: string, { unit = "", bar = "" } = {}): Html {
  const style = bar ? rawHtml(` style="background: ${bar}"`) : "";
  return html`
    <p
      class="legend"><span>${least}</span><span${style}></span><span>${most}</span><span>${unit}</span></p>
  `;
}

/** Where the cortex is seen from; values as in `surface.js`. */
const VIEWS = [
  ["behind", "From behind"],
  ["below", "From below"],
  ["outer", "Outer sides"],
  ["inner", "Inner sides"],
  ["flat", "Flat map"],
];

function cortex({ sheet, surface }: ExplorerContent): Html {
  if (!surface) {
    return html`
      <div id="cortex">${sheet.map(hemispherePicture)}</div>
      <p id="voxel">Point at a voxel to read its value.</p>
    `;
  }
  const views = VIEWS.map(([value, name]) =>
    html`<button type="button" value="${value}" aria-pressed="false">${name}</button>`
  );
  return html`
    <div id="cortex" class="surface">
      <div class="views" role="group" aria-label="Where the cortex is seen from">${views}</div>
      <canvas tabindex="0" role="application" aria-roledescription="cortex"
        aria-label="The cortex, both hemispheres, its voxels colored by activation. Arrow keys turn it."
        aria-describedby="voxel"></canvas>
    </div>
    <p id="voxel">Point at a colored place to read its value; drag the cortex to turn it.</p>
  `;
}

function brain(content: ExplorerContent): Html {
  const { rois, surface, activationLimits } = content;
  const rows = rois.map((roi) =>
    html`
      <tr>
        <th scope="row">${roi}</th>
        <td class="bar">
          <div><span></span></div>
        </td>
        <td class="number">0.000</td>
      </tr>
    `
  );
  const limit = activationLimits.sum.toFixed(2);
  return html`<section aria-labelledby="brain">
    <h2 id="brain">What the pixel activates</h2>
    <label class="choice">Features <select id="activation"><option value="sum">sum over all layers and models</option><option value="layer">the clicked layer alone</option></select></label>
    ${legend(`−${limit}`, `+${limit}`, { unit: "standard deviations", bar: surface ? GRADIENT : "" })}
    <div class="brain">
      <div>${cortex(content)}</div>
      <table class="numbers" id="regions">
        <caption>By region</caption>
        <thead><tr><th scope="col">region</th><th scope="col" colspan="2">mean activation</th></tr></thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
    <p class="small">Its aligned features, summed over all layers and models as the encoder sums them, drawn on the voxels in standard deviations of each voxel's responses; the scale is the same for every pixel. One layer alone shows what that layer adds, not what the brain is predicted to do.</p>
  </section>`;
}

function overview({ images, models, grid }: ExplorerContent): Html {
  const names = models.map((model) => html`<span>${model}</span>`);
  const cards = images.map(({ name, photo }, i) =>
    html`
      <li
        class="card"><button type="button" value="${i}"><img src="${photo}" alt="">Look at ${name}</button><div class="names">${names}</div><div class="scroll" tabindex="0" role="region" aria-label="Maps of ${name}"><div class="maps"><canvas width="${grid
          .cols}" height="${grid
          .rows}" role="img" aria-label="Similarity in ${name}, every model and layer"></canvas><span class="frame" hidden></span></div></div></li>
    `
  );
  return html`
    <p>Rows are models, columns their layers from first to last. Click into any map to take that pixel.</p>
    ${legend("cosine −1", "1")}
    <ul id="overview">${cards}</ul>
  `;
}
