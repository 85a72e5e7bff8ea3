/** The live page: hands photographs to the worker, draws what it answers, and opens the explorer on what is clicked. */
import { closeExploration, openExploration } from "./exploration.js";
import { openCortexFile } from "./space.ts";

const $ = (id) => document.getElementById(id);
const files = $("files"),
  choice = $("run-model"),
  coloring = $("colors"),
  progress = $("progress"),
  said = $("said");
const drop = $("drop");
/** What the worker works on or will, by number. */
const waiting = new Map();
/** What is done, in the order in which it was asked for. */
const results = [];
const ALL = "all of them",
  MEANS = {
    space:
      "Every layer in the space that was saved: its tokens take the eigenvectors of the tokens most like them in it, and these tokens' colors. Equal colors mean the same in all layers, models and photographs, and on the space's own colors page. λ₂ is that of the layer's own graph, and near 1 says that the layer falls into two parts. Click a pixel for what is similar to it, and what it activates.",
    own:
      "Each photograph and each layer is a graph of its own: its tokens' normalised cut has 20 eigenvectors, and t-SNE of them is read as red, green and blue. Equal colors within a map belong together; from one map to another colors mean nothing. λ₂ near 1 says that the layer falls into two parts. Click a pixel for what is similar to it in its layer.",
  };
let models = [], cortex = null, worker, count = 0;

function say(text) {
  said.textContent = text;
}

/** A worker by way of a blob, as only such a one is bound by this page's policy on every server. */
function startWorker() {
  const module = new URL("worker.js", import.meta.url).href;
  const code = new Blob([`import ${JSON.stringify(module)};`], { type: "text/javascript" });
  const started = new Worker(URL.createObjectURL(code), { type: "module" });
  started.onmessage = ({ data }) => show(data);
  started.onerror = (event) => {
    event.preventDefault();
    for (const { row } of waiting.values()) {
      refuse(row, `The worker has ended (${event.message || "unknown"}).`);
    }
    waiting.clear();
    worker = undefined;
    finish();
  };
  return started;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Draws RGB bytes, from some pixel on. */
function draw({ width, height, data }, first = 0) {
  const canvas = document.createElement("canvas"), rgba = new Uint8ClampedArray(4 * width * height);
  canvas.width = width;
  canvas.height = height;
  for (let i = 0; i < width * height; i++) {
    rgba.set(data.subarray(3 * (first + i), 3 * (first + i) + 3), 4 * i);
    rgba[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

function tile(drawn, caption) {
  const figure = element("figure", "tile");
  figure.append(drawn ?? element("div", "empty"), element("figcaption", "", caption));
  return figure;
}

/** A layer as it is known so far, in the colors chosen. */
function layerTile(result, layer) {
  const { name, model, space } = result, own = result.layers[layer - 1], { rows, cols } = model.layout.grid;
  const isSpace = coloring.value === "space" && space;
  const colors = isSpace ? space.colors : own?.colors;
  const caption = own ? `L${layer} · λ₂ ${own.eigenvalues[1].toFixed(3)}` : `L${layer}`;
  if (!colors) return tile(null, caption);
  const first = 1 + (isSpace ? (layer - 1) * (1 + rows * cols) : 0), button = element("button", "");
  button.type = "button";
  button.setAttribute("aria-label", `${name}, ${model.name} layer ${layer}: explore`);
  button.append(draw({ width: cols, height: rows, data: colors }, first));
  button.addEventListener("click", (event) => explore(result, layer, event));
  const made = tile(button, caption);
  if (own?.warning) made.append(element("p", "warning", own.warning));
  return made;
}

function paint(result, layer) {
  result.row.querySelector(".tiles").children[layer].replaceWith(layerTile(result, layer));
}

function paintLayers(result) {
  for (let layer = 1; layer <= result.model.tensors.length; layer++) paint(result, layer);
}

/** Opens the explorer at the place of a click, or in the middle where a key was pressed. */
async function explore(result, layer, { currentTarget, clientX, clientY, detail }) {
  if (!results.includes(result)) return say("Wait until this photograph is done.");
  const box = currentTarget.getBoundingClientRect(), { rows, cols } = result.model.layout.grid;
  const cell = (share, count) =>
    Math.max(0, Math.min(count - 1, Math.floor((detail > 0 ? share : 0.5) * count)));
  const token = 1 + cell((clientY - box.top) / box.height, rows) * cols +
    cell((clientX - box.left) / box.width, cols);
  document.querySelector(".tile.open")?.classList.remove("open");
  currentTarget.parentElement.classList.add("open");
  try {
    await openExploration(results, result, { layer, token, coloring: coloring.value }, cortex);
  } catch (error) {
    say(`This layer cannot be explored: ${error.message}`);
  }
}

function refuse(row, text) {
  row.classList.add("failed");
  row.querySelector(".time").textContent = text;
}

/** Says how far it is, or that it is at an end. */
function finish() {
  progress.hidden = waiting.size === 0;
  if (waiting.size === 0) say(document.querySelector(".photograph") ? "Done." : "Ready.");
}

function show(answer) {
  const result = waiting.get(answer.id);
  if (!result) return;
  const { row, name, model } = result;
  if (answer.kind === "seen") {
    const canvas = draw(answer.picture);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}, as the model sees it`);
    result.photo = canvas.toDataURL("image/png");
    row.querySelector(".tiles").children[0].replaceWith(tile(canvas, "photograph"));
  }
  if (answer.kind === "progress") {
    progress.value = answer.share;
    const others = waiting.size - 1;
    say(`${name}, ${model.name}: ${answer.text}${others > 0 ? `, ${others} more to come` : ""}`);
  }
  if (answer.kind === "space") {
    result.space = answer;
    paintLayers(result);
  }
  if (answer.kind === "layer") {
    result.layers[answer.layer - 1] = answer;
    paint(result, answer.layer);
  }
  if (answer.kind === "done" || answer.kind === "error") {
    waiting.delete(answer.id);
    if (answer.kind === "error") refuse(row, answer.text);
    else {
      const { model: ran, space, layers } = answer.seconds;
      const placed = result.space ? `, all layers in the space ${space.toFixed(1)} s` : "";
      row.querySelector(".time").textContent += `: ${ran.toFixed(1)} s${placed}, their own cuts and colors ${
        layers.toFixed(1)
      } s`;
      row.classList.add("done");
      results.push(result);
    }
    finish();
  }
}

function add(photographs) {
  if (files.disabled) return;
  const chosen = choice.value === ALL ? models : models.filter(({ name }) => name === choice.value);
  const rows = photographs.flatMap((photograph) =>
    chosen.map((model) => {
      const { name, size, lastModified } = photograph, row = element("section", "photograph");
      const tiles = element("div", "tiles"), id = ++count;
      tiles.append(tile(null, "photograph"));
      for (let layer = 1; layer <= model.tensors.length; layer++) tiles.append(tile(null, `L${layer}`));
      row.append(element("h2", "", name), element("p", "time", model.name), tiles);
      waiting.set(id, { key: `${name} ${size} ${lastModified}`, name, model, row, layers: [], space: null });
      (worker ??= startWorker()).postMessage({ id, photograph, name, model });
      return row;
    })
  );
  $("photographs").prepend(...rows);
  finish();
}

/** Has the worker load and compile what the chosen model takes while a photograph is looked for. */
function warmUp() {
  const model = models.find(({ name }) => name === choice.value) ?? models[0];
  (worker ??= startWorker()).postMessage({ warmUp: model });
}

function listen() {
  choice.onchange = warmUp;
  files.onchange = () => {
    add([...files.files]);
    files.value = "";
  };
  document.ondragover = (event) => {
    event.preventDefault();
    drop.classList.add("over");
  };
  document.ondragleave = () => drop.classList.remove("over");
  document.ondrop = (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    add([...event.dataTransfer.files]);
  };
  coloring.onchange = () => {
    closeExploration();
    $("means").textContent = MEANS[coloring.value];
    for (const result of [...results, ...waiting.values()]) paintLayers(result);
  };
}

async function fetched(file) {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file} is missing: write the folder again`);
  return response;
}

async function start() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const folder = await (await fetched("models.json")).json();
  models = folder.models;
  const hasSpace = adapter && models.some(({ slots }) => slots);
  if (hasSpace) {
    $("colors-label").hidden = false;
    cortex = await fetch("cortex.bin").then((found) => found.ok ? found.arrayBuffer() : null)
      .then((buffer) => buffer && openCortexFile(buffer));
  } else coloring.value = "own";
  $("means").textContent = MEANS[coloring.value];
  $("without").textContent = adapter
    ? folder.space ? `The saved space: ${folder.space}` : ""
    : `This browser gives no WebGPU: plain JavaScript computes each layer's own cut and colors, for models of up to 400 tokens${
      folder.space ? "; the saved space is left out" : ""
    }.`;
  choice.append(...models.map(({ name }) => new Option(name, name)));
  if (models.length > 1) choice.append(new Option(ALL, ALL));
  choice.disabled = files.disabled = false;
  listen();
  warmUp();
  say("Ready.");
}

/** Hides the links to pages that the server does not have: it may show this folder alone. */
async function checkLinks() {
  const beside = document.querySelector(".beside"), links = [...beside.querySelectorAll("a")];
  const own = new URL("index.html", location).href;
  let areThere = links.length > 0;
  for (const { href } of links) {
    areThere &&= href !== own && await fetch(href, { method: "HEAD" }).then(({ ok }) => ok, () => false);
  }
  beside.hidden = !areThere;
}

/** For the browser's console: what was computed. */
globalThis.live = { results };

checkLinks();
start().catch((error) => say(`The page cannot start: ${error.message}`));
