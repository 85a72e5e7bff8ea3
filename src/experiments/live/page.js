/** The live page: hands photographs to the worker, and draws what it answers. */

const $ = (id) => document.getElementById(id);
const files = $("files"), choice = $("model"), progress = $("progress"), said = $("said"), drop = $("drop");
/** What the worker works on or will, by number: the row on the page, and the file's name. */
const waiting = new Map();
let models = [], worker, count = 0;

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
    for (const row of waiting.values()) refuse(row, `The worker has ended (${event.message || "unknown"}).`);
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

function draw({ width, height, data }) {
  const canvas = document.createElement("canvas"), rgba = new Uint8ClampedArray(4 * width * height);
  canvas.width = width;
  canvas.height = height;
  for (let i = 0; i < width * height; i++) {
    rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
    rgba[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
  return canvas;
}

function tile(picture, caption, label) {
  const figure = element("figure", "tile"), canvas = picture ? draw(picture) : element("div", "empty");
  if (picture) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
  }
  figure.append(canvas, element("figcaption", "", caption));
  return figure;
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
  const row = waiting.get(answer.id);
  if (!row) return;
  const tiles = row.querySelector(".tiles"), name = row.querySelector("h2").textContent;
  if (answer.kind === "seen") {
    tiles.children[0].replaceWith(tile(answer.picture, "photograph", `${name}, as the model sees it`));
  }
  if (answer.kind === "progress") {
    progress.value = answer.share;
    const others = waiting.size - 1;
    say(`${name}: ${answer.text}${others > 0 ? `, ${others} more to come` : ""}`);
  }
  if (answer.kind === "layer") {
    const { layer, colors, eigenvalues, warning } = answer;
    const made = tile(
      colors,
      `L${layer} · λ₂ ${eigenvalues[1].toFixed(3)}`,
      `${name}, colors of layer ${layer}`,
    );
    made.dataset.eigenvalues = JSON.stringify(eigenvalues);
    if (warning) made.append(element("p", "warning", warning));
    tiles.children[layer].replaceWith(made);
  }
  if (answer.kind === "done" || answer.kind === "error") {
    waiting.delete(answer.id);
    if (answer.kind === "error") refuse(row, answer.text);
    else {
      const { model, layers } = answer.seconds;
      row.querySelector(".time").textContent += `: ${model.toFixed(1)} s, its layers' cuts and colors ${
        layers.toFixed(1)
      } s`;
      row.classList.add("done");
    }
    finish();
  }
}

function add(photographs) {
  if (files.disabled) return;
  const model = models.find(({ name }) => name === choice.value);
  const rows = photographs.map((photograph) => {
    const id = ++count,
      { name } = photograph,
      row = element("section", "photograph"),
      tiles = element("div", "tiles");
    tiles.append(tile(null, "photograph"));
    for (let layer = 1; layer <= model.tensors.length; layer++) tiles.append(tile(null, `L${layer}`));
    row.append(element("h2", "", name), element("p", "time", model.name), tiles);
    waiting.set(id, row);
    (worker ??= startWorker()).postMessage({ id, photograph, name, model });
    return row;
  });
  $("photographs").prepend(...rows);
  finish();
}

function listen() {
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
}

async function start() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!adapter) {
    return say(
      "This browser gives no WebGPU: use a current Chrome or Edge, graphics acceleration turned on.",
    );
  }
  models = await (await fetch("models.json")).json();
  choice.append(...models.map(({ name }) => new Option(name, name)));
  choice.disabled = files.disabled = false;
  listen();
  say("Ready.");
}

start().catch((error) => say(`The page cannot start: ${error.message}`));
