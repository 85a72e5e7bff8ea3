// The explorer's page: what is looked at, what is clicked, and the maps that follow.
import { addressOf, addressWriter, stateOf } from "./address.js";
import { similarities, sumOverSlots } from "./click_response.ts";
import { openCortex } from "./cortex.js";
import { openCut } from "./cut_clicks.js";
import { openEngine } from "./engine.js";
import { nearestPixels, showNearest } from "./nearest.js";
import { openOverview } from "./overview.js";
import { openPanels } from "./panels.js";
import { divergingScale, segmentColors } from "./palette.js";
import { signed } from "./signed.js";
import { showTip } from "./tip.js";
import { stretchColors } from "../../embed/stretch_colors.ts";
import { clusterOf } from "../../graph/ward.ts";

/**
 * Works the explorer's controls and maps, which are in the document.
 *
 * @param content what `takePayload` gives, or the same from elsewhere
 * @param hasAddress whether the page's address says what is looked at
 * @param signal ends it: the document's parts may then be replaced
 * @returns what is clicked and the numbers behind the maps, `pick` of another pixel, and `ready`
 */
export function openExplorer(content, { hasAddress = true, signal } = {}) {
  const { images, models, slots, tokens, grid, eigenvectors, opening } = content;
  const byId = (id) => document.getElementById(id);
  const controls = Object.fromEntries(
    ["image", "model", "layer", "clicks", "over", "opacity", "coloring", "segment-count", "vector"]
      .map((id) => [id, byId(id)]),
  );
  /** Only where there are voxels. */
  controls.activation = byId("activation");
  /** Controls whose values an address holds, and their values without one. */
  const SETTINGS = Object.fromEntries(
    ["over", "opacity", "coloring", "segment-count", "vector", "activation"]
      .filter((id) => controls[id]).map((id) => [id, controls[id].value]),
  );
  const shown = document.querySelectorAll("#overview button img");
  const photos = images.map(({ photo }, image) =>
    photo ?? (shown[image] ?? byId("pixel").querySelector("img")).src
  );
  const engine = openEngine(content, answer), patches = tokens - 1;
  const layout = { slots: slots.length, images: images.length, tokens };

  let view = { image: opening.image, slot: opening.slot };
  let clicked = { ...view, token: opening.token };
  /** Token that the pointer is on. */
  let pointed = null;
  let response = null;
  let scale = divergingScale();
  const palette = segmentColors(content.segmentParents.length);
  const vectorLimits = new Float32Array(eigenvectors.cols);
  eigenvectors.data.forEach((value, i) => {
    const c = i % eigenvectors.cols;
    vectorLimits[c] = Math.max(vectorLimits[c], Math.abs(value));
  });

  const nodeOf = ({ image, slot, token }) => (slot * images.length + image) * tokens + token;
  const firstNode = () => nodeOf({ ...view, token: 1 });
  const slotName = (slot) => `${slots[slot].model} layer ${slots[slot].layer}`;
  const placeName = (token) =>
    `row ${Math.floor((token - 1) / grid.cols) + 1}, column ${(token - 1) % grid.cols + 1}`;
  const nodeName = ({ image, slot, token }) =>
    `${images[image].name}, ${slotName(slot)}, ${placeName(token)}`;

  const overview = byId("overview") && openOverview(content, (node) => {
    view = { image: node.image, slot: node.slot };
    pick(node);
  }, describe);
  const cortex = controls.activation && openCortex(content);

  // ——— maps

  /** What equal colors mean. */
  const COLORINGS = {
    joint: content.coloring.text,
    within: "The same, stretched within this layer: equal ones belong together in it",
  };
  const stretched = new Map();

  /** The colors chosen, and where among them the patches of the image shown begin. */
  function colorsShown() {
    const first = firstNode();
    if (controls.coloring.value === "joint") return { colors: content.colors, from: first };
    const each = images.length * tokens, start = view.slot * each;
    if (!stretched.has(view.slot)) {
      stretched.set(view.slot, stretchColors(content.colors.subarray(3 * start, 3 * (start + each))));
    }
    return { colors: stretched.get(view.slot), from: first - start };
  }

  const cut = openCut(({ image, slot }) => {
    const first = nodeOf({ image, slot, token: 1 }), cols = content.feature(first).length;
    const data = new Float32Array(patches * cols);
    for (let i = 0; i < patches; i++) data.set(content.feature(first + i), i * cols);
    return { data, rows: patches, cols };
  }, () => panels.paint("cut"));

  /** A map each, as `drawMap` takes it. */
  const MAPS = {
    similarity() {
      const node = pointed === null ? clicked : { ...view, token: pointed };
      const values = similarities(engine.unit, nodeOf(node), firstNode(), patches);
      return { color: (i) => scale(values[i]) };
    },
    colors() {
      const { colors, from } = colorsShown();
      panels.caption("colors", COLORINGS[controls.coloring.value]);
      return { color: (i) => colors.subarray(3 * (from + i), 3 * (from + i) + 3) };
    },
    segments() {
      const first = firstNode(), count = Number(controls["segment-count"].value);
      const parents = { parents: content.segmentParents };
      const label = (i) => clusterOf(parents, content.segments[first + i], count);
      byId("segment-number").textContent = count;
      return { color: (i) => palette[label(i)], label };
    },
    vector() {
      const first = firstNode(), vector = Number(controls.vector.value) - 1;
      byId("vector-number").textContent = vector + 1;
      return {
        color: (i) =>
          scale(eigenvectors.data[(first + i) * eigenvectors.cols + vector] / vectorLimits[vector]),
      };
    },
    cut() {
      const found = cut.of(view);
      panels.caption("cut", found?.text ?? "Figure and ground of this image: computing …");
      return found?.figure &&
        { color: (i) => scale(found.values[i] / found.limit), label: (i) => found.figure[i] };
    },
  };
  const panels = openPanels(grid, MAPS, { point, press, key });

  function paintPanels() {
    panels.show(photos[view.image]);
    panels.paint(...Object.keys(MAPS));
    panels.markCut(cut.marksOf(view.image));
    byId("layer-number").textContent = slots[view.slot].layer;
    paintMarkers();
    panels.picker.setAttribute("aria-label", `Pixel of ${nodeName(clicked)}. Arrow keys move it.`);
    overview?.frame(view);
    if (hasAddress) writeAddress();
  }

  function paintMarkers() {
    const own = clicked.image === view.image ? clicked.token : null;
    panels.mark(own, clicked.slot !== view.slot, pointed);
  }

  function paintAll() {
    paintPanels();
    overview?.paint(
      (image, slot, patch) => response.similarity[nodeOf({ image, slot, token: 1 + patch })],
      scale,
    );
    byId("status").textContent = `Clicked: ${nodeName(clicked)}. ${paintNearest()}${paintCortex()}`;
  }

  /** @returns the sentence that names the most similar one; "" where there is no other image */
  function paintNearest() {
    if (images.length === 1) return "";
    const nearest = nearestPixels(content, response.similarity, clicked.image), [best] = nearest;
    showNearest(byId("nearest"), nearest, { photos, grid, nameOf: nodeName, pick: goTo });
    return `Most similar in another image: ${nodeName(best)}, cosine ${best.value.toFixed(2)}. `;
  }

  /** @returns the sentence that names the strongest region; "" where there is no cortex */
  function paintCortex() {
    if (!cortex) return "";
    const limit = content.activationLimits[controls.activation.value];
    const means = cortex.paint(response.activation, scale, limit);
    const ends = document.querySelectorAll("#brain ~ .legend span");
    [ends[0].textContent, ends[2].textContent] = [`−${limit.toFixed(2)}`, `+${limit.toFixed(2)}`];
    const strongest = means.reduce((best, mean, i) => mean > means[best] ? i : best, 0);
    return `Strongest region: ${content.rois[strongest]}, ${signed(means[strongest])}.`;
  }

  // ——— pointer and clicks

  let waiting = false, busy = false, again = false;

  /** Shows the similarity to the patch pointed at, in the next frame; null for none. */
  function point(token) {
    if (token === pointed) return;
    pointed = token;
    if (!waiting) requestAnimationFrame(paintPointed);
    waiting = true;
  }

  function paintPointed() {
    waiting = false;
    panels.paint("similarity");
    paintMarkers();
  }

  /** Does with a patch what a click is set to do. */
  function press(token, kind = controls.clicks.value) {
    if (kind === "pick") {
      if (nodeOf({ ...view, token }) !== nodeOf(clicked)) pick({ ...view, token });
      return;
    }
    cut.toggle(view.image, token, kind);
    paintPanels();
  }

  /** Answers the latest click; clicks that come meanwhile are answered after it, the last one only. */
  async function answer() {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      response = await engine.respond(nodeOf(clicked), clickedFeature());
      paintAll();
    }
    busy = false;
  }

  /** What the cortex is drawn from. */
  function clickedFeature() {
    const node = nodeOf(clicked);
    return controls.activation?.value === "sum"
      ? sumOverSlots(content.feature, node, layout)
      : content.feature(node);
  }

  function pick(node) {
    clicked = node;
    syncControls();
    return answer();
  }

  /** Looks at a pixel of another image and picks it. */
  function goTo({ image, slot, token }) {
    view = { image, slot };
    panels.picker.focus();
    pick({ image, slot, token });
  }

  /** Looks at another image, layer or model; the clicked pixel stays. */
  function look(next) {
    view = next;
    syncControls();
    paintPanels();
  }

  // ——— controls

  function slotsOf(model) {
    return slots.flatMap((slot, i) => slot.model === model ? [i] : []);
  }

  function syncControls() {
    const { model } = slots[view.slot], own = slotsOf(model);
    controls.image.value = view.image;
    controls.model.value = models.indexOf(model);
    controls.layer.max = own.length;
    controls.layer.value = own.indexOf(view.slot) + 1;
    controls.layer.setAttribute("aria-valuetext", `layer ${slots[view.slot].layer}`);
  }

  controls.image.addEventListener("change", () => look({ ...view, image: Number(controls.image.value) }));
  controls.model.addEventListener("change", () => {
    const own = slotsOf(models[Number(controls.model.value)]);
    look({ ...view, slot: own[Math.min(own.length, Number(controls.layer.value)) - 1] });
  });
  controls.layer.addEventListener(
    "input",
    () => look({ ...view, slot: slotsOf(slots[view.slot].model)[controls.layer.value - 1] }),
  );
  for (const id of ["over", "opacity", "coloring", "segment-count", "vector"]) {
    controls[id].addEventListener("input", paintPanels);
  }
  controls.activation?.addEventListener("change", answer);
  for (const button of document.querySelectorAll("#overview button")) {
    button.addEventListener("click", () => {
      look({ ...view, image: Number(button.value) });
      panels.picker.focus();
    });
  }
  byId("clear").addEventListener("click", () => {
    cut.clear(view.image);
    paintPanels();
  });
  for (const button of document.querySelectorAll("button.png")) {
    button.addEventListener("click", () => {
      const name = `${images[view.image].name} ${slotName(view.slot)} ${button.value}`;
      panels.save(button.value, `${name.replace(/[^\w.-]+/g, "_")}.png`);
    });
  }

  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const KINDS = { f: "figure", g: "ground", Enter: undefined };

  /** Works the pixel from a map that has the focus: the photograph, or a map that is enlarged. */
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = clicked.token;
    if (event.key in KINDS) {
      event.preventDefault();
      return press(at, KINDS[event.key]);
    }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const within = (value, count) => Math.max(0, Math.min(count - 1, value));
    const row = within(Math.floor((at - 1) / grid.cols) + step[0], grid.rows);
    press(1 + row * grid.cols + within((at - 1) % grid.cols + step[1], grid.cols), "pick");
  }

  // ——— the address

  const writeAddress = addressWriter(() =>
    addressOf(content, {
      view,
      clicked,
      marks: cut.marksOf(view.image),
      settings: Object.fromEntries(
        Object.entries(SETTINGS).flatMap(([id, start]) =>
          controls[id].value === start ? [] : [[id, controls[id].value]]
        ),
      ),
    })
  );

  /** Takes what the address asks for; says what this page does not have. */
  function followAddress() {
    const entries = new URLSearchParams(location.hash.slice(1));
    const { marks, missing, ...wanted } = stateOf(content, entries);
    ({ view, clicked } = wanted);
    cut.clear(view.image);
    for (const [token, kind] of marks) cut.toggle(view.image, token, kind);
    for (const [id, start] of Object.entries(SETTINGS)) {
      const value = entries.get(id) ?? start;
      controls[id].value = value;
      if (controls[id].value === value) continue;
      missing.push(`${id} ${value}`);
      controls[id].value = start;
    }
    byId("address-note").textContent = missing.length > 0
      ? `The address asks for what this page does not have: ${missing.join(", ")}.`
      : "";
    syncControls();
  }

  addEventListener("hashchange", () => {
    if (!hasAddress || !location.hash.includes("=")) return; // a place in the page
    followAddress();
    answer();
  }, { signal });

  function describe(node, event) {
    const isShown = node !== null && response !== null;
    showTip(isShown ? `${nodeName(node)}: ${signed(response.similarity[nodeOf(node)])}` : null, event);
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    scale = divergingScale();
    if (response) paintAll();
  }, { signal });

  if (hasAddress) followAddress();
  syncControls();
  paintPanels();
  return {
    node: () => ({ ...clicked, index: nodeOf(clicked) }),
    engine: engine.name,
    response: () => response,
    busy: () => busy,
    /** Looks at a pixel of another image, layer or model and picks it. */
    pick: goTo,
    /** Without waiting for shaders to compile, then by what is faster. */
    ready: answer().then(() => engine.useFaster(nodeOf(clicked), clickedFeature())).then(answer),
  };
}
