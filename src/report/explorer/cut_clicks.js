// Marks of figure and ground, and the cut of one image by them.
import { clickCut } from "../../graph/click_cut.ts";

/** Milliseconds to wait for more of the same before a cut is solved. */
const WAIT = 80;

/** @param features gives the patches of an image at a layer: n × D′; @param done is called when a cut is there */
export function openCut(features, done) {
  /** By image: token → "figure" or "ground". */
  const marks = new Map();
  let shown = null, wanted = "", timer = 0;
  const marksOf = (image) => [...marks.get(image) ?? []].sort(([a], [b]) => a - b);
  const keyOf = ({ image, slot }) => JSON.stringify([image, slot, marksOf(image)]);

  function solve(view) {
    const own = marksOf(view.image), started = performance.now();
    const tokens = (kind) => own.filter((mark) => mark[1] === kind).map(([token]) => token - 1);
    try {
      const cut = clickCut(features(view), { figure: tokens("figure"), ground: tokens("ground") });
      const limit = cut.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
      shown = {
        key: keyOf(view),
        ...cut,
        limit,
        text: sentence(cut, own.length, performance.now() - started),
      };
    } catch (error) {
      shown = { key: keyOf(view), text: error.message };
    }
    done();
  }

  return {
    marksOf,
    /** Marks a token, or takes an equal mark away. */
    toggle(image, token, kind) {
      const own = marks.get(image) ?? new Map();
      if (own.get(token) === kind) own.delete(token);
      else own.set(token, kind);
      marks.set(image, own);
    },
    clear: (image) => marks.delete(image),
    /** The cut of what is looked at, or null and it is solved soon. */
    of(view) {
      const key = keyOf(view);
      if (shown?.key === key) return shown;
      if (wanted !== key) {
        wanted = key;
        clearTimeout(timer);
        timer = setTimeout(() => solve(view), WAIT);
      }
      return null;
    },
  };
}

function sentence({ met, eigenvalues }, marks, milliseconds) {
  const how = `λ₂ ${eigenvalues[1].toFixed(3)}, ${Math.round(milliseconds)} ms`;
  if (marks === 0) {
    return `Figure and ground of this image: its two-way normalized cut, ${how}; marks of figure and ground (keys F, G) change it`;
  }
  return `Figure and ground of this image, its graph changed by the marks: ${met} of ${marks} on their side, ${how}`;
}
