import { type Html, html, rawHtml } from "../html.ts";
import type { ExplorerContent } from "./content.ts";
import type { HalfMatrix } from "./half.ts";

/** Data blocks, which no browser runs; `<` cannot close them early. */
export function payloadBlocks(content: ExplorerContent): Html {
  const { images, eigenvectors, aligned, beta, colors, segments, voxelRois, sheet: _, surface, ...small } =
    content;
  const shape = ({ rows, cols, scale }: HalfMatrix) => ({ rows, cols, scale });
  const json = JSON.stringify({
    ...small,
    surface: surface && { leftVoxels: surface.leftVoxels, leftCut: surface.leftCut },
    images: images.map(({ name }) => ({ name })),
    voxelRois: [...voxelRois],
    eigenvectors: shape(eigenvectors),
    aligned: shape(aligned),
    beta: shape(beta),
  }).replaceAll("<", "\\u003c");
  const block = (
    id: string,
    { buffer, byteOffset, byteLength }: Uint8Array | Uint16Array | Int16Array | Int8Array,
  ) =>
    rawHtml(
      `<script type="text/plain" id="${id}">${
        new Uint8Array(buffer, byteOffset, byteLength).toBase64()
      }</script>\n`,
    );
  return html`<script type="application/json" id="content">${rawHtml(json)}</script>
${block("colors", colors)}${block("segments", segments)}${block("eigenvectors", eigenvectors.bits)}${
    block("aligned", aligned.bits)
  }${block("beta", beta.bits)}${
    surface
      ? (["vertices", "inflated", "flat", "sulc", "cut"] as const).map((name) => block(name, surface[name]))
      : ""
  }`;
}
