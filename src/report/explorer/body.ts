/** What the explorer is made of in a page: controls, maps, cortex; in Deno and in pages themselves. */
import { VIEWS } from "../cortex/voxel_scene.ts";
import { type Html, html } from "../html.ts";
import type { ExplorerContent } from "./content.ts";
import { hemispherePicture } from "./hemisphere_picture.ts";

/** As much of the content as its elements say. */
export type ExplorerShape =
  & Pick<
    ExplorerContent,
    | "images"
    | "models"
    | "slots"
    | "grid"
    | "segmentParents"
    | "opening"
    | "rois"
    | "sheet"
    | "activationLimits"
  >
  & {
    eigenvectors: { cols: number };
    /** Whether there is one. */
    surface?: unknown;
    /** What the colors are called, and what equal ones mean. */
    coloring: { name: string; text: string };
  };

/** Colors of one graph of all nodes. */
export const JOINT_COLORING = {
  name: "joint map",
  text: "AlignedCut colors: equal ones belong together across images, layers and models",
};

/** Whether there is one map alone: nothing elsewhere to be similar to. */
function isAlone({ images, slots }: ExplorerShape): boolean {
  return images.length * slots.length === 1;
}

/**
 * The explorer's elements, for `openExplorer`. Of one layer of one image nothing is said of others; without regions there is no
 * cortex.
 *
 * @param isFolded whether the maps of every layer are folded
 */
export function explorerBody(content: ExplorerShape, isFolded = false): Html {
  const title = "Similar pixels everywhere", everywhere = isAlone(content) ? null : overview(content);
  return html`<div>${controls(content)}<div class="stage">${explorer(content)}${
    content.rois.length > 0 ? brain(content) : ""
  }</div></div>${content.images.length > 1 ? nearest() : ""}${
    everywhere === null
      ? ""
      : isFolded
      ? html`<details class="everywhere"><summary>${title}</summary>${everywhere}</details>`
      : html`<section aria-labelledby="everywhere"><h2 id="everywhere">${title}</h2>${everywhere}</section>`
  }`;
}

function controls({ images, models, slots, opening }: ExplorerShape): Html {
  const { model } = slots[opening.slot], own = slots.filter((slot) => slot.model === model);
  return html`
    <form id="controls" aria-label="What to look at" autocomplete="off">
      <label>Image <select id="image">${options(images.map(({ name }) => name))}</select></label>
      <label>Model <select id="model">${options(models)}</select></label>
      <label><span>Layer <output id="layer-number">${slots[opening.slot].layer}</output></span>
        <input id="layer" type="range" min="1" max="${own.length}" value="1"></label>
      <label>A click
        <select id="clicks"><option value="pick">picks the pixel</option><option value="figure">marks figure</option><option value="ground">marks ground</option></select></label>
      <label>Smooth <input id="smooth" type="checkbox"></label>
    </form>
  `;
}

/** What computes the answers, and how fast. */
export function engineChoice(): Html {
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

/** Maps that can be laid over the photograph. */
const MAPS = {
  similarity: "similarity",
  colors: "colors",
  segments: "segments",
  vector: "eigenvector",
  cut: "figure and ground",
};

/** Segments first shown. */
export const SEGMENTS = 10;

function explorer(content: ExplorerShape): Html {
  const { images, slots, opening, grid, segmentParents, eigenvectors, coloring } = content;
  const tools = (name: string, what: string, own: Html | string) =>
    html`
      <div
        class="tools">${own}<button type="button" class="larger" value="${what}" aria-label="Larger: ${what}">Larger</button><button type="button" class="png" value="${name}" aria-label="Save ${what} as a PNG of 1,024 pixels">PNG</button></div>
    `;
  const panel = (
    name: keyof typeof MAPS,
    caption: string,
    own: Html | string = "",
    key: readonly [least: string, most: string] | null = null,
  ) =>
    html`
      <figure class="panel">
        <div class="map" data-map="${name}"><canvas width="${grid.cols}" height="${grid
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
          <div class="map" id="pixel" data-map="photo" tabindex="0" role="application" aria-roledescription="pixel picker" aria-label="Pixel" aria-describedby="status keys"><img alt=""${isAlone(
              content,
            )
            ? html`
              src="${images[0].photo}"
            `
            : ""}><canvas></canvas></div>
          <figcaption id="keys">The image. Click a pixel in any map, or move it here with the arrow keys; Enter clicks, F marks figure, G ground. Larger enlarges a map, Escape closes it</figcaption>
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
          coloring.text,
          html`<label>Colors <select id="coloring"><option value="joint">${coloring.name}</option><option value="within">within the layer</option></select></label>`,
        )}
        ${panel(
          "segments",
          isAlone(content)
            ? "Segments, with borders"
            : "Segments over all images, layers and models, with borders",
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

function legend(least: string, most: string, unit = ""): Html {
  return html`
    <p class="legend"><span>${least}</span><span></span><span>${most}</span><span>${unit}</span></p>
  `;
}

function cortex({ sheet, surface }: ExplorerShape): Html {
  if (!surface) {
    return html`
      <div id="cortex">${sheet.map(hemispherePicture)}</div>
      <p id="voxel">Point at a voxel to read its value.</p>
    `;
  }
  const views = Object.entries(VIEWS).map(([value, { title }]) =>
    html`<button type="button" value="${value}" aria-pressed="false">${title}</button>`
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

function brain(content: ExplorerShape): Html {
  const { rois, activationLimits } = content;
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
    ${legend(`−${limit}`, `+${limit}`, "standard deviations")}
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

/** Images whose maps are seen at once. */
const OPEN_CARDS = 3;

function overview({ images, models, grid }: ExplorerShape): Html {
  const names = models.map((model) => html`<span>${model}</span>`);
  const cards = images.map(({ name, photo }, i) =>
    html`
      <li
        class="card"><button type="button" value="${i}"><img src="${photo}" alt="">Look at ${name}</button><div class="names">${names}</div><div class="scroll" tabindex="0" role="region" aria-label="Maps of ${name}"><div class="maps"><canvas width="${grid
          .cols}" height="${grid
          .rows}" role="img" aria-label="Similarity in ${name}, every model and layer"></canvas><span class="frame" hidden></span></div></div></li>
    `
  );
  const more = cards.slice(OPEN_CARDS);
  return html`
    <p>Rows are models, columns their layers from first to last; scrolled to the layer that is looked at. Click into any map to take that pixel.</p>
    ${legend("cosine −1", "1")}
    <div id="overview"><ul>${cards.slice(0, OPEN_CARDS)}</ul>${more.length === 0 ? "" : html`
      <details>
        <summary>${more.length} more ${more.length === 1 ? "image" : "images"}</summary>
        <ul>${more}</ul>
      </details>
    `}</div>
  `;
}
