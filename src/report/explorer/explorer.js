// The explorer's page: what is looked at, what is clicked, and the maps that follow.
import { respondOnGpu, respondOnHost } from "./click_response.ts";
import { openCortex } from "./cortex.js";
import { openOverview } from "./overview.js";
import { takePayload } from "./payload.js";
import { divergingScale, paintMap, segmentColors } from "./palette.js";
import { signed } from "./signed.js";
import { stretchColors } from "../../embed/stretch_colors.ts";

const content = takePayload();
const { images, models, slots, tokens, grid, eigenvectors } = content;
const byId = (id) => document.getElementById(id);
const controls = {
  image: byId("image"),
  model: byId("model"),
  layer: byId("layer"),
  vector: byId("vector"),
  coloring: byId("coloring"),
  engine: byId("engine"),
};
const panels = Object.fromEntries(
  [...document.querySelectorAll(".map")].map((map) => [map.dataset.map, map]),
);
const photos = [...document.querySelectorAll("#overview button img")];
const middle = 1 + Math.floor(grid.rows / 2) * grid.cols + Math.floor(grid.cols / 2);
const host = respondOnHost(content);

let view = { image: 0, slot: Math.floor(slots.length / 2) };
let clicked = { ...view, token: middle };
let engine = host;
let response = null;
let scale = divergingScale();
const segments = segmentColors(content.segmentCount);
const vectorLimits = Array.from({ length: eigenvectors.cols }, (_, c) => {
  let limit = 0;
  for (let i = c; i < eigenvectors.data.length; i += eigenvectors.cols) {
    limit = Math.max(limit, Math.abs(eigenvectors.data[i]));
  }
  return limit;
});

const nodeOf = ({ image, slot, token }) => (slot * images.length + image) * tokens + token;
const slotName = (slot) => `${slots[slot].model} layer ${slots[slot].layer}`;
const placeName = (token) =>
  `row ${Math.floor((token - 1) / grid.cols) + 1}, column ${(token - 1) % grid.cols + 1}`;
const nodeName = ({ image, slot, token }) => `${images[image].name}, ${slotName(slot)}, ${placeName(token)}`;

const overview = openOverview(content, (node) => {
  view = { image: node.image, slot: node.slot };
  pick(node);
}, tell);
const cortex = openCortex(content);

// ——— drawing

/** What equal colors mean. */
const COLORINGS = {
  joint: "AlignedCut colors: equal ones belong together across images, layers and models",
  within: "The same, stretched within this layer: equal ones belong together in it",
};
const stretched = new Map();

/** The colors chosen, and where among them the patches of the image shown begin. */
function colorsShown(first) {
  if (controls.coloring.value === "joint") return { colors: content.colors, from: first };
  const each = images.length * tokens, start = view.slot * each;
  if (!stretched.has(view.slot)) {
    stretched.set(view.slot, stretchColors(content.colors.subarray(3 * start, 3 * (start + each))));
  }
  return { colors: stretched.get(view.slot), from: first - start };
}

function paintPanels() {
  const first = nodeOf({ ...view, token: 1 }), vector = Number(controls.vector.value) - 1;
  const paint = (name, color) => paintMap(panels[name].querySelector("canvas").getContext("2d"), grid, color);
  const { colors, from } = colorsShown(first);
  paint("colors", (i) => colors.subarray(3 * (from + i), 3 * (from + i) + 3));
  panels.colors.parentElement.querySelector("figcaption").textContent = COLORINGS[controls.coloring.value];
  paint("segments", (i) => segments[content.segments[first + i]]);
  paint(
    "vector",
    (i) => scale(eigenvectors.data[(first + i) * eigenvectors.cols + vector] / vectorLimits[vector]),
  );
  if (response) paint("similarity", (i) => scale(response.similarity[first + i]));
  panels.photo.querySelector("img").src = photos[view.image].src;
  byId("vector-number").textContent = controls.vector.value;
  byId("layer-number").textContent = slots[view.slot].layer;
  for (const map of Object.values(panels)) {
    const marker = map.querySelector(".marker");
    marker.hidden = clicked.image !== view.image;
    marker.classList.toggle("elsewhere", clicked.slot !== view.slot);
    marker.style.left = `${100 * ((clicked.token - 1) % grid.cols) / grid.cols}%`;
    marker.style.top = `${100 * Math.floor((clicked.token - 1) / grid.cols) / grid.rows}%`;
    marker.style.width = `${100 / grid.cols}%`;
    marker.style.height = `${100 / grid.rows}%`;
  }
  panels.photo.setAttribute("aria-label", `Pixel of ${nodeName(clicked)}. Arrow keys move it.`);
  overview.frame(view);
}

function paintAll() {
  paintPanels();
  overview.paint(
    (image, slot, patch) => response.similarity[nodeOf({ image, slot, token: 1 + patch })],
    scale,
  );
  const means = cortex.paint(response.activation, scale);
  const strongest = means.reduce((best, mean, i) => mean > means[best] ? i : best, 0);
  byId("status").textContent = `Clicked: ${nodeName(clicked)}. ${mostAlike()} Strongest region: ${
    content.rois[strongest]
  }, ${signed(means[strongest])}.`;
}

/** The most similar patch of another image. */
function mostAlike() {
  let best = null, most = -2;
  for (const slot of slots.keys()) {
    for (const image of images.keys()) {
      if (image === clicked.image) continue;
      for (let token = 1; token < tokens; token++) {
        const node = { image, slot, token }, value = response.similarity[nodeOf(node)];
        if (value > most) [best, most] = [node, value];
      }
    }
  }
  return best ? `Most alike in another image: ${nodeName(best)}, cosine ${most.toFixed(2)}.` : "";
}

// ——— clicks

let busy = false, again = false;

/** Answers the latest click; clicks that come meanwhile are answered after it, the last one only. */
async function answer() {
  again = true;
  if (busy) return;
  busy = true;
  while (again) {
    again = false;
    const node = nodeOf(clicked), started = performance.now();
    try {
      response = await engine.respond(node);
    } catch (error) {
      useHost(error.message);
      response = await host.respond(node);
    }
    await report(node, performance.now() - started);
    paintAll();
  }
  busy = false;
}

/** Says what computed the answer and how long it took, and how far plain JavaScript's answer is from it. */
async function report(node, milliseconds) {
  const time = `${engine.name}, ${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
  if (engine === host) {
    byId("computed").textContent = time;
    return;
  }
  const check = await host.respond(node);
  let difference = 0;
  for (const part of ["similarity", "activation"]) {
    response[part].forEach((value, i) => difference = Math.max(difference, Math.abs(value - check[part][i])));
  }
  byId("computed").textContent = `${time}; plain JavaScript differs by at most ${
    difference.toExponential(0)
  }`;
}

function pick(node) {
  clicked = node;
  syncControls();
  return answer();
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
controls.vector.addEventListener("input", paintPanels);
for (const button of document.querySelectorAll("#overview button")) {
  button.addEventListener("click", () => {
    look({ ...view, image: Number(button.value) });
    panels.photo.focus();
  });
}

for (const map of Object.values(panels)) {
  const pickAt = ({ clientX, clientY }) => {
    const box = map.getBoundingClientRect();
    const cell = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    const column = cell((clientX - box.left) / box.width, grid.cols);
    const row = cell((clientY - box.top) / box.height, grid.rows);
    const node = { ...view, token: 1 + row * grid.cols + column };
    if (nodeOf(node) !== nodeOf(clicked)) pick(node);
  };
  map.addEventListener("click", pickAt);
  map.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons === 1) pickAt(event);
  });
}

panels.photo.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const row = Math.floor((clicked.token - 1) / grid.cols) + step[0];
  const column = (clicked.token - 1) % grid.cols + step[1];
  if (row < 0 || row >= grid.rows || column < 0 || column >= grid.cols) return;
  pick({ ...view, token: 1 + row * grid.cols + column });
});

// ——— the value beside the pointer

const tip = byId("tip");

function tell(node, { clientX, clientY }) {
  tip.classList.toggle("open", node !== null && response !== null);
  if (!node || !response) return;
  tip.textContent = `${nodeName(node)}: ${signed(response.similarity[nodeOf(node)])}`;
  const { width, height } = tip.getBoundingClientRect();
  const right = document.documentElement.clientWidth - width - 8;
  tip.style.left = `${Math.max(8, Math.min(clientX - width / 2, right))}px`;
  tip.style.top = `${clientY + 20 + height < innerHeight ? clientY + 20 : clientY - height - 12}px`;
}

// ——— what computes

function useHost(reason) {
  engine = host;
  controls.engine.value = "host";
  byId("engine-note").textContent = `Plain JavaScript computes here, WebGPU cannot: ${reason.split(":")[0]}.`;
}

let onGpu = null;

async function useGpu() {
  try {
    engine = onGpu ??= await respondOnGpu(content);
    controls.engine.value = "gpu";
    byId("engine-note").textContent = "";
  } catch (error) {
    useHost(error.message);
    controls.engine.querySelector("[value=gpu]").disabled = true;
  }
}

controls.coloring.addEventListener("change", paintPanels);
controls.engine.addEventListener("change", async () => {
  if (controls.engine.value === "gpu") await useGpu();
  else engine = host;
  await answer();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  scale = divergingScale();
  if (response) paintAll();
});

/** For the browser's console: what is clicked, and the numbers behind the maps. */
globalThis.explorer = {
  node: () => ({ ...clicked, index: nodeOf(clicked) }),
  engine: () => engine.name,
  response: () => response,
  busy: () => busy,
};

syncControls();
paintPanels();
controls.engine.value = "host";
answer() // without waiting for shaders to compile
  .then(useGpu).then(answer).then(() => document.documentElement.dataset.ready = "true");
