// The showcase's page: the layer that is shown, and the spots similar to the one pointed at.
import { placeMarker } from "../explorer/marker.js";
import { paintMap, segmentColors } from "../explorer/palette.js";
import { take, takeBytes } from "../explorer/payload.js";

const byId = (id) => document.getElementById(id);

const { titles, map, layers, spots, segmentCount, components } = JSON.parse(take("content"));
const colors = takeBytes("colors"), segments = takeBytes("segments");
const directions = new Int8Array(takeBytes("directions").buffer);
const palette = segmentColors(segmentCount), cells = map.rows * map.cols, photos = titles.length;
const board = byId("board"), slider = byId("layer"), play = byId("play"), dialog = byId("enlarged");
const photoTiles = [...board.querySelectorAll(".photo")],
  mapTiles = [...board.querySelectorAll("button.map")];
const spotButtons = [...document.querySelectorAll("#spots button")];
const HINTS = {
  colors: byId("status").textContent,
  contrast: "Colors stretched within each photograph: more detail, but not comparable between photographs.",
  segments: `${segmentCount} segments, shared by all photographs.`,
};
/** Cosines from which on a spot is lit, and at which it is fully lit. */
const DARK = 0.25, BRIGHT = 0.9;
for (const [at, text] of [[1, `${DARK} or less, dark`], [3, `${BRIGHT} or more, as it is`]]) {
  byId("shades").children[at].textContent = text;
}

let layer = Number(slider.value);
/** The spot pointed at, and whether it stays. */
let spot = null, isPinned = false;
let large = null;

const maps = () => document.querySelector('input[name="maps"]:checked').value;
const firstOf = (layer, photo) => cells * (layer * photos + photo);

/** Cosines of all patches of a layer with the spot. */
function likeness(layer) {
  const from = components * firstOf(layer, 0), n = cells * photos, out = new Float32Array(n);
  const own = from + components * (cells * spot.photo + spot.cell);
  for (let i = 0; i < n; i++) {
    let sum = 0, square = 0;
    for (let c = 0; c < components; c++) {
      const value = directions[from + components * i + c];
      sum += value * directions[own + c];
      square += value * value;
    }
    out[i] = sum / Math.sqrt(square);
  }
  const most = out[cells * spot.photo + spot.cell] || 1;
  return out.map((value) => value / most);
}

function plain(layer, photo) {
  const first = firstOf(layer, photo), kind = maps();
  if (kind === "segments") return (i) => palette[segments[first + i]];
  const own = colors.subarray(3 * first, 3 * (first + cells));
  const stretch = kind === "contrast" ? stretched(own) : (value) => value;
  return (i) => [0, 1, 2].map((c) => stretch(own[3 * i + c], c));
}

/** Red, green and blue of one photograph, each from its darkest fiftieth to its brightest. */
function stretched(own) {
  const ends = [0, 1, 2].map((c) => {
    const sorted = own.filter((_, i) => i % 3 === c).sort();
    const low = sorted[Math.floor(0.02 * (cells - 1))], high = sorted[Math.ceil(0.98 * (cells - 1))];
    return [low, high > low ? 255 / (high - low) : 1];
  });
  return (value, c) => Math.min(255, Math.max(0, (value - ends[c][0]) * ends[c][1]));
}

/** Darkens what is not similar to the spot. */
function paintShade(canvas, alike, photo) {
  const context = canvas.getContext("2d"), image = context.createImageData(map.cols, map.rows);
  for (let i = 0; i < cells; i++) {
    const lit = Math.min(1, Math.max(0, (alike[cells * photo + i] - DARK) / (BRIGHT - DARK)));
    image.data.set([6, 8, 14, Math.round(240 * (1 - lit))], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

function paint() {
  const alike = spot && likeness(layer);
  board.classList.toggle("alike", spot !== null);
  byId("shades").hidden = spot === null;
  mapTiles.forEach((tile, photo) => {
    const canvas = tile.querySelector("canvas");
    if (alike) paintShade(canvas, alike, photo);
    else paintMap(canvas.getContext("2d"), map, plain(layer, photo));
  });
  photoTiles.forEach((tile, photo) => {
    const marker = tile.querySelector(".marker");
    marker.hidden = spot?.photo !== photo;
    if (!marker.hidden) placeMarker(marker, 1 + spot.cell, map);
  });
  for (const [i, button] of spotButtons.entries()) {
    const isOwn = isPinned && spot.photo === spots[i].photo && spot.cell === spots[i].cell;
    button.setAttribute("aria-pressed", String(isOwn));
  }
  byId("layer-number").textContent = layers[layer];
  byId("status").textContent = spot ? sentence(alike) : HINTS[maps()];
  if (dialog.open) paintLarge();
}

/** The most similar spots in other photographs. */
function sentence(alike) {
  const best = titles.map((_, photo) =>
    alike.subarray(cells * photo, cells * (photo + 1)).reduce((a, b) => Math.max(a, b))
  );
  const [first, ...rest] = titles.map((title, photo) => ({ title, photo, value: best[photo] }))
    .filter(({ photo }) => photo !== spot.photo).sort((a, b) => b.value - a.value);
  if (!first) return `Similar to the spot in ${titles[spot.photo]}.`;
  const others = [first, ...rest.slice(0, 1)].map(({ title, value }) =>
    `${title} (cosine ${value.toFixed(2)})`
  );
  return `Most similar to the spot in ${titles[spot.photo]}: ${others.join(", ")}.${
    isPinned ? " Press Escape to clear." : ""
  }`;
}

function paintLarge() {
  const [picture, canvas] = dialog.querySelector(".large").children;
  picture.src = photoTiles[large].querySelector("img").src;
  picture.alt = titles[large];
  byId("enlarged-title").textContent = `${titles[large]}, layer ${layers[layer]}`;
  paintMap(canvas.getContext("2d"), map, plain(layer, large));
  for (const [i, button] of [...dialog.querySelectorAll(".strip button")].entries()) {
    button.setAttribute("aria-current", String(i === layer));
    button.setAttribute("aria-label", `Layer ${layers[i]}`);
    paintMap(button.querySelector("canvas").getContext("2d"), map, plain(i, large));
  }
}

function showLayer(wanted) {
  layer = wanted;
  slider.value = wanted;
  paint();
}

function letGo() {
  spot = null;
  isPinned = false;
  paint();
}

// ——— the spot

function cellAt(tile, { clientX, clientY }) {
  const box = tile.getBoundingClientRect();
  const at = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
  return at((clientY - box.top) / box.height, map.rows) * map.cols +
    at((clientX - box.left) / box.width, map.cols);
}

for (const [photo, tile] of photoTiles.entries()) {
  tile.addEventListener("pointermove", (event) => {
    if (isPinned || event.pointerType === "touch") return;
    const cell = cellAt(tile, event);
    if (spot?.photo === photo && spot.cell === cell) return;
    spot = { photo, cell };
    paint();
  });
  tile.addEventListener("pointerleave", () => {
    if (spot && !isPinned) letGo();
  });
  tile.addEventListener("click", (event) => {
    const cell = cellAt(tile, event);
    if (isPinned && spot.photo === photo && spot.cell === cell) return letGo();
    spot = { photo, cell };
    isPinned = true;
    paint();
  });
  tile.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const middle = Math.floor(map.rows / 2) * map.cols + Math.floor(map.cols / 2);
    const from = spot?.photo === photo ? spot.cell : middle;
    const row = Math.min(map.rows - 1, Math.max(0, Math.floor(from / map.cols) + step[0]));
    const col = Math.min(map.cols - 1, Math.max(0, from % map.cols + step[1]));
    spot = { photo, cell: row * map.cols + col };
    isPinned = true;
    paint();
  });
}

for (const [i, button] of spotButtons.entries()) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-pressed") === "true") return letGo();
    stop();
    spot = { photo: spots[i].photo, cell: spots[i].cell };
    isPinned = true;
    showLayer(spots[i].layer);
  });
}

// ——— controls

let timer = null;

function stop() {
  clearInterval(timer);
  timer = null;
  play.setAttribute("aria-pressed", "false");
  play.lastElementChild.textContent = "Play";
}

play.addEventListener("click", () => {
  if (timer !== null) return stop();
  play.setAttribute("aria-pressed", "true");
  play.lastElementChild.textContent = "Stop";
  timer = setInterval(() => showLayer((layer + 1) % layers.length), 900);
});
slider.addEventListener("input", () => {
  stop();
  showLayer(Number(slider.value));
});
for (const choice of document.querySelectorAll('input[name="maps"]')) {
  choice.addEventListener("change", letGo);
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !dialog.open && spot) letGo();
});

// ——— enlarged

function enlarge(photo, wanted = layer) {
  stop();
  large = photo;
  dialog.showModal();
  showLayer(wanted);
}

for (const tile of mapTiles) tile.addEventListener("click", () => enlarge(Number(tile.value)));
for (const tile of document.querySelectorAll("button.small")) {
  tile.addEventListener("click", () => enlarge(Number(tile.value), Number(tile.dataset.layer)));
}
dialog.addEventListener("click", (event) => {
  const button = event.target.closest(".strip button");
  if (button) showLayer(Number(button.value));
  else if (event.target === dialog || event.target.closest("#close")) dialog.close();
});

for (const tile of mapTiles) {
  tile.querySelector(".still").remove();
  tile.querySelector("canvas").hidden = false;
}
paint();
document.documentElement.dataset.ready = "true";
