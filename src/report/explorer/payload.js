// What the page holds: one block of JSON, and matrices as base64.
import { fromHalf, halfRow } from "./half.ts";

/** The text of a data block, which leaves the document. */
export function take(id) {
  const block = document.getElementById(id), text = block.textContent.trim();
  block.remove();
  return text;
}

/** The bytes of a data block, which leaves the document. */
export function takeBytes(id) {
  const text = atob(take(id));
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function takeHalf(id, { rows, cols, scale }) {
  return { bits: new Uint16Array(takeBytes(id).buffer), rows, cols, scale };
}

/** Reads everything, and takes it out of the document. */
export function takePayload() {
  const content = JSON.parse(take("content")), aligned = takeHalf("aligned", content.aligned);
  const takeBuffer = (id) => takeBytes(id).buffer;
  return {
    ...content,
    surface: content.surface && {
      ...content.surface,
      vertices: new Uint16Array(takeBuffer("vertices")),
      inflated: new Int16Array(takeBuffer("inflated")),
      flat: new Int16Array(takeBuffer("flat")),
      sulc: new Int8Array(takeBuffer("sulc")),
      cut: new Uint16Array(takeBuffer("cut")),
    },
    colors: takeBytes("colors"),
    segments: takeBytes("segments"),
    eigenvectors: fromHalf(takeHalf("eigenvectors", content.eigenvectors)),
    feature: (node) => halfRow(aligned, node),
    beta: fromHalf(takeHalf("beta", content.beta)),
  };
}
