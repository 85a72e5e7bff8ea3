// What is looked at, in the address behind #, so that a link shows it again.

/** Milliseconds after the last change. */
const WAIT = 150;
const KINDS = ["figure", "ground"];

/** Writes the address a moment after the last call; `entries` gives what it says then. */
export function addressWriter(entries) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, "", `#${new URLSearchParams(entries())}`), WAIT);
  };
}

/**
 * What an address says.
 *
 * @param view { image, slot } that is looked at, as indices
 * @param clicked { image, slot, token }
 * @param marks [token, kind] of the image looked at
 * @param settings by the names of their controls
 */
export function addressOf({ images, slots, grid }, { view, clicked, marks, settings }) {
  const place = ({ image, slot }, prefix = "") => ({
    [`${prefix}image`]: images[image].name,
    [`${prefix}model`]: slots[slot].model,
    [`${prefix}layer`]: slots[slot].layer,
  });
  const isElsewhere = clicked.image !== view.image || clicked.slot !== view.slot;
  const entries = { ...place(view), pixel: patchText(clicked.token, grid) };
  if (isElsewhere) Object.assign(entries, place(clicked, "pixel-"));
  for (const kind of KINDS) {
    const own = marks.filter((mark) => mark[1] === kind).map(([token]) => patchText(token, grid));
    if (own.length > 0) entries[kind] = own.join(" ");
  }
  return { ...entries, ...settings };
}

/** What `entries` of an address ask for, the opening where they ask for nothing; `missing` is not in the page. */
export function stateOf({ images, slots, grid, opening }, entries) {
  const missing = [];
  const lookUp = (prefix, start) => {
    const [name, model, layer] = ["image", "model", "layer"].map((key) => entries.get(prefix + key));
    const image = name === null ? start.image : images.findIndex((own) => own.name === name);
    const from = slots[start.slot];
    const slot = slots.findIndex((own) =>
      own.model === (model ?? from.model) && own.layer === Number(layer ?? from.layer)
    );
    if (image < 0) missing.push(`image ${name}`);
    if (slot < 0) missing.push(`${model ?? from.model} layer ${layer ?? from.layer}`);
    return { image: image < 0 ? start.image : image, slot: slot < 0 ? start.slot : slot };
  };
  const tokenOf = (text) => {
    const token = patchToken(text, grid);
    if (token === null) missing.push(`pixel ${text}`);
    return token;
  };
  const view = lookUp("", opening), pixel = entries.get("pixel");
  const token = (pixel === null ? null : tokenOf(pixel)) ?? opening.token;
  const marks = KINDS.flatMap((kind) =>
    (entries.get(kind)?.split(" ") ?? []).map((text) => [tokenOf(text), kind]).filter(([token]) => token)
  );
  return { view, clicked: { ...lookUp("pixel-", view), token }, marks, missing };
}

/** A patch's row and column, counted from 1, as text. */
function patchText(token, { cols }) {
  return `${Math.floor((token - 1) / cols) + 1},${(token - 1) % cols + 1}`;
}

/** The token of such a text; null where there is no such patch. */
function patchToken(text, { rows, cols }) {
  const [row, col] = text.split(",").map(Number);
  const isIn = (value, count) => Number.isInteger(value) && value >= 1 && value <= count;
  return isIn(row, rows) && isIn(col, cols) ? 1 + (row - 1) * cols + col - 1 : null;
}
