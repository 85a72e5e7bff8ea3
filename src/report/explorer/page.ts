/** The explorer's page: one file with all numbers, the shaders and the script that works with them. */
import { checkPicture, equationBlock } from "../blocks.ts";
import { type Html, html, rawHtml } from "../html.ts";
import { linkModules } from "./link_modules.ts";
import type { Page } from "../page.ts";
import { renderScriptPage } from "../script_page.ts";
import answers from "./answers.css" with { type: "text" };
import maps from "./explorer.css" with { type: "text" };
import type { ExplorerContent } from "./content.ts";
import { engineChoice, explorerBody, JOINT_COLORING } from "./body.ts";
import { payloadBlocks } from "./payload_blocks.ts";

/** What the page says beside its content. */
export type ExplorerText = Pick<Page, "data" | "method" | "settings" | "command">;

const SCRIPT = new URL("./main.js", import.meta.url);
const EQUATION = rawHtml(
  `<math display="block"><msub><mi>s</mi><mi>i</mi></msub><mo>=</mo><mfrac><mrow><msub><mi>x</mi><mi>i</mi></msub><mo>·</mo><msub><mi>x</mi><mi>c</mi></msub></mrow><mrow><mo>‖</mo><msub><mi>x</mi><mi>i</mi></msub><mo>‖</mo><mo>‖</mo><msub><mi>x</mi><mi>c</mi></msub><mo>‖</mo></mrow></mfrac><mo>,</mo><mspace width="1em"/><mi>b</mi><mo>=</mo><munder><mo>∑</mo><mi>l</mi></munder><msubsup><mi>v</mi><mrow><mi>c</mi><mi>l</mi></mrow><mo>′</mo></msubsup><mi>β</mi></math>`,
);
const CUT_EQUATION = rawHtml(
  `<math display="block"><mi>W</mi><mo>=</mo><mo>(</mo><mn>1</mn><mo>−</mo><mi>w</mi><mo>)</mo><mi>M</mi><mo>+</mo><mi>w</mi><msub><mi>M</mi><mi>c</mi></msub><mo>,</mo><mspace width="1em"/><msub><mi>A</mi><mrow><mi>c</mi><mo>,</mo><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mi>exp</mi><mo>(</mo><mo>−</mo><mfrac><msup><mrow><mo>(</mo><msub><mi>c</mi><mi>i</mi></msub><mo>−</mo><msub><mi>c</mi><mi>j</mi></msub><mo>)</mo></mrow><mn>2</mn></msup><mrow><mn>2</mn><msup><mi>σ</mi><mn>2</mn></msup></mrow></mfrac><mo>)</mo><mo>,</mo><mspace width="1em"/><msub><mi>c</mi><mi>i</mi></msub><mo>=</mo><mi>n</mi><mo>(</mo><munder><mi>mean</mi><mrow><mi>f</mi><mo>∈</mo><mi>F</mi></mrow></munder><msub><mi>M</mi><mrow><mi>i</mi><mi>f</mi></mrow></msub><mo>−</mo><mi>ω</mi><munder><mi>mean</mi><mrow><mi>g</mi><mo>∈</mo><mi>G</mi></mrow></munder><msub><mi>M</mi><mrow><mi>i</mi><mi>g</mi></mrow></msub><mo>)</mo></math>`,
);
const CUT =
  "Clicks that mark figure (F) and ground (G) change the graph of the image's patches at the layer shown, after ncut-pytorch's click prompting: W mixes its normalized affinity M = D^−½ A D^−½, A = exp(cos(v′) − 1), with M_c, that of A_c; w = 0.9 (0 without marks), ω = 1, σ the standard deviation of c. The map is the second eigenvector of W over the first, parted where Ncut of W is smallest.";
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

/** Where the data blocks of a page in pieces go. */
const DATA = rawHtml("<!-- data -->");

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
  return await partsAround(content, payloadBlocks(content), isFolded);
}

/** The parts, with the data blocks or what stands for them. */
async function partsAround(
  content: ExplorerContent,
  blocks: readonly Html[],
  isFolded: boolean,
): Promise<ExplorerParts> {
  content.images.forEach(({ photo }) => checkPicture(photo));
  return {
    style: `${maps}\n${answers}`,
    script: await linkModules(SCRIPT),
    body: explorerBody({ ...content, coloring: JOINT_COLORING }, isFolded),
    method: html`
      ${equationBlock(EQUATION)}
      <p>${CUT}</p>
      ${equationBlock(CUT_EQUATION, "Equation of the cut")}
      ${engineChoice()}
    `,
    end: html`<div class="tip" id="tip" aria-hidden="true"></div>${blocks}`,
  };
}

/**
 * Renders the explorer, see `renderScriptPage`, in pieces: the page up to its data, each block of data, and the rest. Together
 * they would be one string of characters of two bytes, twice the size of the file.
 *
 * @throws TypeError when a photo is no data URI
 */
export async function explorerPieces(content: ExplorerContent, text: ExplorerText): Promise<string[]> {
  const { body, method, end, ...parts } = await partsAround(content, [DATA], false);
  const page = await renderScriptPage({
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
  const at = page.indexOf(DATA.markup);
  const blocks = payloadBlocks(content).map(({ markup }) => markup);
  return [page.slice(0, at), ...blocks, page.slice(at + DATA.markup.length)];
}
